"""The tracks of a case, one file a kind. Each declares `TRACK`; TRACKS.md's tables are their contract."""
