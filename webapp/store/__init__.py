"""Stored conversations, images, shares and sessions, in SQLite or Postgres, through SQLAlchemy Core.

Every row has an owner, and every query names one. An answer that is still streaming is in `runs/`.
"""
