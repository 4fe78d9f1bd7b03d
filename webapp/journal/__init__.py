"""Implementations of `seams.Journal`: in memory, SQLite, Postgres and Redis. No module here knows the run engine.

`rules` has what all of them decide alike, `encoding` how they store frames.
"""
