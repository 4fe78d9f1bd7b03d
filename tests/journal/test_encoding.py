"""The stored form of frames."""

import msgspec
import pytest

from tests.journal.samples import done, reset, texts
from webapp.journal.encoding import decode_frames, encode_frames


@pytest.mark.parametrize("frames", [(), texts(1, 3), reset("x"), (*texts(1, 1), done())])
def test_frames_are_decoded_as_they_were_encoded(frames: tuple[object, ...]) -> None:
    assert decode_frames(encode_frames(frames)) == list(frames)  # type: ignore[arg-type]


def test_damaged_bytes_are_refused() -> None:
    whole = encode_frames((*texts(1, 2), done()))
    for end in range(len(whole)):
        with pytest.raises(msgspec.DecodeError):
            decode_frames(whole[:end])
