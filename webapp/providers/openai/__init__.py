"""OpenAI and compatible servers: both dialects (Chat Completions, Responses), each with its requests and its decoder.

What other providers need too is one folder up.
"""
