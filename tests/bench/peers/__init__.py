"""What Freshet is measured against. The peers run in the benchmark's own environment."""
