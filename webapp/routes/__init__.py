"""Flask: a module for each group of endpoints, the request hooks and the streaming response bodies.

Nothing below this package knows Flask. Request and response shapes belong in `api/`.
"""
