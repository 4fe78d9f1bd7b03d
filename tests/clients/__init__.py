"""Clients that nobody here wrote, pointed at a server."""
