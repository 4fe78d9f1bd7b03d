"""Wire formats as pure decoders: bytes in, cut anywhere; values out. No I/O, no clock, no provider's words."""
