"""What should happen, and by when: pure functions over policy files, without a database and without a clock."""
