"""Model providers, one file each: requests in their dialect, and decoders that turn their bytes into our events.

Provider-specific words, keys and quirks end here; the connections themselves are in `http/`.
"""
