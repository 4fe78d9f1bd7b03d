"""The HTTP transport to providers: sends one POST, reads its response at the pace of frames, and can be stopped.

It is independent of the providers' formats.
"""
