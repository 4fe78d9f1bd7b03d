"""Access control: principals, cookies, sessions, addresses, limits.

No Flask and no SQL here; the request hook is in `routes/request_hooks.py`.
"""
