"""The Alembic migrations that create and change the tables."""
