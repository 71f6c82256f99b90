"""Measurements: ratios against the raw driver on the same PostgreSQL in the same run. `python -m tests.benchmarks`."""
