"""Decoders and encoders of wire formats: bytes in, cut anywhere; values out.

No I/O, no clock, and nothing that only one provider does.
"""
