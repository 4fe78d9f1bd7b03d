"""Measure what journals, workers and readers that come back cost: `make bench-scale`, or `python -m tests.bench_scale`."""
