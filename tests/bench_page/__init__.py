"""Benchmark of the page: the main thread's time to show Markdown while it streams."""
