"""The HTTP transport to providers: one POST whose response is read at the pace of frames, and can be stopped.

Nothing here knows what any provider's bytes mean.
"""
