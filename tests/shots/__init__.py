"""Screenshots of the page in each state, on each kind of screen: `python -m tests.shots`."""
