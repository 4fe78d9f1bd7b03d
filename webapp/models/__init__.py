"""Re-exports for calling providers without a server: `factory.create_provider`, and the types of its calls in `base`.

Nothing is implemented here.
"""
