"""The page's static files: bundled, minified, compressed, and served under an address that holds their digest.

Templates and the endpoints of the page belong in `routes/`.
"""
