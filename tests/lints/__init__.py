"""Two rules of this project that no ready-made linter knows; `python -m tests.lints` reads the whole tree."""
