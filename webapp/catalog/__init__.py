"""The model table: which models are known, their context windows, prices and abilities.

Which provider answers a request is decided in `providers/registry.py`, not here.
"""
