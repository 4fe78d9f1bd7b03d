"""What a provider refuses of a request: recognised, left out or replaced, and remembered for an hour.

How a request is changed is decided by the provider's own module; what an error means to a person is in `errors.py`.
"""
