"""Measure Freshet against nginx, Starlette and the plain loop: `make bench`, or `python -m tests.bench`."""
