"""Conversations, kept: SQLite by default, Postgres by `DATABASE_URL`, through SQLAlchemy Core.

Everything has an owner, and no query is without one.
"""
