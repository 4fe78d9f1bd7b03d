"""Model providers: each builds requests in its own format and decodes the responses to events.

What only one provider needs is in its folder or module; the connections are in `http/`. Nothing here knows runs or routes.
"""
