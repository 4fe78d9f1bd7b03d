"""Stored conversations, images, shares and sessions, in SQLite or Postgres, through SQLAlchemy Core.

Everything has an owner, and no query is without one. What an answer is while it streams belongs in `runs/`.
"""
