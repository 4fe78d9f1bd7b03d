"""Benchmark of the search: what it finds in real text, how fast, and what it holds up."""
