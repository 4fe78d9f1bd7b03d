"""The model table: the known models with their context windows, prices and abilities.

`providers/registry.py` chooses the provider of a request; nothing here does.
"""
