"""Tests of `notifiers`, and the fakes at the other end that delivery's tests use too."""
