"""The OpenAPI 3.1 description of all endpoints: schemas from the types that parse requests, and the paths by group.

What an endpoint does belongs in `routes/`; the checks of its request in the other modules of `api/`.
"""
