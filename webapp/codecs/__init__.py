"""Incremental decoders and encoders of wire formats: no I/O, no clock, nothing specific to one provider.

Decoders accept chunks that end anywhere, also inside a character.
"""
