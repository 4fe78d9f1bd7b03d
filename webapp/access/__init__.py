"""Who is asking and what they may do: principals, cookies, sessions, addresses, limits.

Nothing here knows Flask or SQL; the request hook is `routes/authentication.py`.
"""
