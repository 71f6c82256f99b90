"""What should happen, and by when: pure functions over policy files; no database, no clock of its own."""
