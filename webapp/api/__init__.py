"""Request and response shapes of the endpoints, and the steps from a request to a run. Nothing here knows Flask.

What a step needs of the server is passed in; endpoints, hooks and response bodies belong in `routes/`.
"""
