"""Decoding server-sent events, split anywhere."""

import time

import pytest

from tests.unit.splits import Pieces, decoded, same_for_all_splits
from webapp.codecs.sse import Record, SSEDecoder, TooLong

LIMIT = 4096


def records(raw: bytes) -> list[tuple[str, str]]:
    """Return the event and data of every record, the same for all splits."""
    found = decoded(lambda: SSEDecoder(LIMIT), raw)
    return [(record.event.decode(), record.data.decode()) for record in found]


def data(raw: bytes) -> list[str]:
    return [text for _, text in records(raw)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_all_three_line_ends_are_accepted(end: bytes) -> None:
    raw = end.join([b"event: a", b"data: one", b"data: two", b"", b"data: three", b"", b""])
    assert records(raw) == [("a", "one\ntwo"), ("", "three")]


def test_line_ends_may_be_mixed() -> None:
    raw = b"data: 1\r\ndata: 2\rdata: 3\n\r\ndata: 4\r\rdata: 5\n\n"
    assert data(raw) == ["1\n2\n3", "4", "5"]


def test_crlf_split_between_chunks_is_one_line_end() -> None:
    decoder = SSEDecoder(LIMIT)
    assert decoder.decode(b"data: one\r") == []
    assert decoder.decode(b"\ndata: two\r") == []
    assert decoder.decode(b"\n\r") == [Record(b"", b"one\ntwo")]
    assert decoder.decode(b"\n") == []
    assert decoder.flush() == []


def test_a_record_is_returned_at_its_last_byte() -> None:
    decoder = SSEDecoder(LIMIT)
    assert [len(decoder.decode(b"data: x\r\n\r\n"[at : at + 1])) for at in range(11)] == [0] * 9 + [1, 0]


def test_cr_cr_lf_is_one_blank_line() -> None:
    assert data(b"data: 1\r\r\ndata: 2\n\n") == ["1", "2"]


def test_only_a_leading_byte_order_mark_is_dropped() -> None:
    mark = "\ufeff".encode()
    assert data(mark + b"data: x\n\n") == ["x"]
    assert data(mark + mark + b"data: x\n\ndata: y\n\n") == ["y"]
    assert data(b"data: x\n\n" + mark + b"data: y\n\ndata: z\n\n") == ["x", "z"]


@pytest.mark.parametrize("raw", [b"\xef", b"\xef\xbb", b"\xef\xbb\xbf", b"\xefdata: x\n\n", b""])
def test_a_partial_byte_order_mark_is_not_data(raw: bytes) -> None:
    assert data(raw) == []


def test_comments_are_skipped() -> None:
    raw = b": OPENROUTER PROCESSING\n\n:\n\ndata: x\n:inside\n: data: no\ndata: y\n\n::\n"
    assert data(raw) == ["x\ny"]


def test_only_one_space_after_the_colon_is_dropped() -> None:
    assert data(b"data:x\n\ndata: x\n\ndata:  x \n\ndata:\tx\n\n") == ["x", "x", " x ", "\tx"]


def test_a_field_without_a_colon_has_an_empty_value() -> None:
    assert data(b"data\n\ndata\ndata\n\ndata:\n\n") == ["", "\n", ""]


def test_a_value_may_contain_colons() -> None:
    assert data(b"data: a: b:c\n\n") == ["a: b:c"]


def test_unknown_fields_are_ignored() -> None:
    raw = b"id: 7\nretry: 10\ndata: x\nfoo: bar\n data: no\nDATA: no\ndata : no\n\nid\n\n"
    assert records(raw) == [("", "x")]


def test_the_last_event_field_is_used() -> None:
    assert records(b"event: a\nevent: b\ndata: x\n\n") == [("b", "x")]
    assert records(b"event: a\nevent\ndata: x\n\n") == [("", "x")]


def test_an_id_applies_to_its_own_record() -> None:
    raw = b"id: 1\ndata: x\n\ndata: y\n\nid: 2\n\ndata: z\n\n"
    found = decoded(lambda: SSEDecoder(LIMIT), raw)
    assert [(one.id, one.data) for one in found] == [(b"1", b"x"), (b"", b"y"), (b"", b"z")]


def test_a_record_without_data_is_skipped() -> None:
    assert records(b"event: ping\n\ndata: x\n\n") == [("", "x")]


def test_an_event_type_applies_to_one_record() -> None:
    assert records(b"event: a\ndata: x\n\ndata: y\n\n") == [("a", "x"), ("", "y")]


def test_unicode_line_separators_do_not_end_a_line() -> None:
    text = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"
    assert data(f"data: {text}\n\n".encode()) == [text]


def test_invalid_utf8_is_preserved() -> None:
    assert decoded(lambda: SSEDecoder(LIMIT), b"data: \xff\xc3\n\n") == [Record(b"", b"\xff\xc3")]


def test_a_nul_is_preserved() -> None:
    assert data(b"data: a\x00b\n\n") == ["a\x00b"]


@pytest.mark.parametrize(
    ("raw", "last"),
    [
        (b"data: 1\n\ndata: x", ["1", "x"]),
        (b"data: 1\n\ndata: x\n", ["1", "x"]),
        (b"data: 1\n\ndata: x\r", ["1", "x"]),
        (b"data: 1\n\ndata: x\ndata: y", ["1", "x\ny"]),
        (b"data: 1\n\nevent: x", ["1"]),
        (b"data: 1\n\n: comment", ["1"]),
        (b"data: 1\n\n\n\n", ["1"]),
    ],
)
def test_flush_returns_a_record_without_its_blank_line(raw: bytes, last: list[str]) -> None:
    assert data(raw) == last


def test_a_second_flush_returns_nothing() -> None:
    decoder = SSEDecoder(LIMIT)
    decoder.decode(b"event: x\ndata: half")
    assert decoder.flush() == [Record(b"x", b"half")]
    assert decoder.flush() == []


def test_empty_chunks_change_nothing() -> None:
    decoder = SSEDecoder(LIMIT)
    found = [decoder.decode(piece) for piece in (b"", b"da", b"", b"ta: x\n", b"", b"\n", b"")]
    assert [one for records in found for one in records] == [Record(b"", b"x")]


LONG = [
    b"data: " + b"x" * 59,  # exactly the limit of 65
    b"data: " + b"x" * 60,
    b": " + b"x" * 64,
    b"data: " + b"x" * 20 + b"\ndata: " + b"x" * 60 + b"\n\n",
    b"data: " + b"x" * 20 + b"\ndata: " + b"x" * 20 + b"\n\ndata: " + b"x" * 58 + b"\n\n",
    b"data\n" * 66,
    b"data\n" * 60 + b"\n" + b"data\n" * 60,
    b"x" * 40 + b"\n" + b"y" * 40 + b"\n" + b"data: z\n\n",
]


@pytest.mark.parametrize(("raw", "refused"), list(zip(LONG, [0, 1, 1, 1, 0, 1, 0, 0], strict=True)))
def test_long_lines_and_events_are_refused_for_every_split(raw: bytes, refused: int) -> None:
    def read(pieces: Pieces) -> bool:
        decoder = SSEDecoder(65)
        try:
            for piece in pieces:
                decoder.decode(piece)
        except TooLong:
            return True
        return False

    assert same_for_all_splits(read, raw) == bool(refused)


def test_an_endless_line_is_refused_early() -> None:
    decoder = SSEDecoder(LIMIT)
    for _ in range(LIMIT // 2):
        assert decoder.decode(b"xx") == []
    with pytest.raises(TooLong, match="4096"):
        decoder.decode(b"x")


def measure_s(raw: bytes, piece_bytes: int) -> float:
    """Return the decoding time of a body in small pieces, the best of three."""
    times = []
    for _ in range(3):
        decoder = SSEDecoder(1 << 24)
        began = time.thread_time()
        for at in range(0, len(raw), piece_bytes):
            decoder.decode(raw[at : at + piece_bytes])
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.parametrize("line", [b"x", b"data: x\n", b"data\n"])
def test_a_record_in_small_pieces_takes_linear_time(line: bytes) -> None:
    """Eight times the bytes may take about 8 times as long; a quadratic decoder takes 64 times as long."""
    small = b"data: " + line * (64_000 // len(line))
    assert measure_s(small * 8, 16) < 24 * measure_s(small, 16) + 0.01


@pytest.mark.parametrize("cut", range(1, 30))
def test_n15_an_error_on_a_line_of_its_own_is_an_event(cut: int) -> None:
    body = b"data: a\nerror: overloaded\n\n"
    decoder = SSEDecoder(100)
    records = decoder.decode(body[:cut]) + decoder.decode(body[cut:]) + decoder.flush()
    assert records == [Record(b"", b"a"), Record(b"error", b"overloaded")]
