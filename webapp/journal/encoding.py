"""The stored form of a group's frames, the same in every journal that stores bytes: MessagePack `[kind, payload, terminal]…`."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from webapp.frames import Frame, FrameKind

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[FrameKind, bytes, bool]]).decode


def encode_frames(frames: Sequence[Frame]) -> bytes:
    """Encode frames."""
    return _encode([(frame.kind, frame.payload, frame.terminal) for frame in frames])


def decode_frames(content: bytes) -> list[Frame]:
    """Decode frames. Raises `msgspec.DecodeError` for damaged bytes."""
    return [Frame(kind, payload, terminal) for kind, payload, terminal in _decode(content)]
