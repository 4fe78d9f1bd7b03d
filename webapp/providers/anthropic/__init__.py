"""Anthropic and compatible servers: the requests, the decoder, and what Claude models accept by their names.

What other providers need too is one folder up.
"""
