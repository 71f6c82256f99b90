"""What is, and what has happened: cases, their tracks, their clocks and their history.

The only package that knows SQLAlchemy. Both doors (people's and time's) change a case through
`cases.engine.fire` and through nothing else.
"""
