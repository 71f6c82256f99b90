"""The commands of `whistle`, a noun a file."""
