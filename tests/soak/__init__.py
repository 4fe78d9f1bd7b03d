"""Thousands of answers of all kinds through one server, which must hold afterwards what it held before: `make soak`."""
