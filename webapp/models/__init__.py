"""Providers to call from code, without a server: `factory.create_provider` and the types of its calls in `base`.

Nothing is implemented here; these modules only re-export.
"""
