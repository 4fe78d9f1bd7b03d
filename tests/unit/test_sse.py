"""Server-sent events as the standard reads them, cut anywhere."""

import time

import pytest

from tests.unit.splits import Pieces, decoded, same_for_all_cuts
from webapp.codecs.sse import Record, SSEDecoder, TooLong

LIMIT = 4096


def records(raw: bytes) -> list[tuple[str, str]]:
    """Every record of a body, (event, data), however it is cut."""
    found = decoded(lambda: SSEDecoder(LIMIT), raw)
    return [(record.event.decode(), record.data.decode()) for record in found]


def data(raw: bytes) -> list[str]:
    return [text for _, text in records(raw)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_each_of_the_three_line_ends(end: bytes) -> None:
    raw = end.join([b"event: a", b"data: one", b"data: two", b"", b"data: three", b"", b""])
    assert records(raw) == [("a", "one\ntwo"), ("", "three")]


def test_line_ends_may_be_mixed() -> None:
    raw = b"data: 1\r\ndata: 2\rdata: 3\n\r\ndata: 4\r\rdata: 5\n\n"
    assert data(raw) == ["1\n2\n3", "4", "5"]


def test_a_cut_between_cr_and_lf_ends_one_line_and_not_two() -> None:
    decoder = SSEDecoder(LIMIT)
    assert decoder.decode(b"data: one\r") == []
    assert decoder.decode(b"\ndata: two\r") == []
    assert decoder.decode(b"\n\r") == [Record(b"", b"one\ntwo")]
    assert decoder.decode(b"\n") == []
    assert decoder.flush() == []


def test_a_record_leaves_with_the_byte_that_ends_it() -> None:
    decoder = SSEDecoder(LIMIT)
    assert [len(decoder.decode(b"data: x\r\n\r\n"[at : at + 1])) for at in range(11)] == [0] * 9 + [1, 0]


def test_cr_cr_lf_is_one_blank_line() -> None:
    assert data(b"data: 1\r\r\ndata: 2\n\n") == ["1", "2"]


def test_a_byte_order_mark_is_dropped_once() -> None:
    mark = "\ufeff".encode()
    assert data(mark + b"data: x\n\n") == ["x"]
    assert data(mark + mark + b"data: x\n\ndata: y\n\n") == ["y"]
    assert data(b"data: x\n\n" + mark + b"data: y\n\ndata: z\n\n") == ["x", "z"]


@pytest.mark.parametrize("raw", [b"\xef", b"\xef\xbb", b"\xef\xbb\xbf", b"\xefdata: x\n\n", b""])
def test_what_only_begins_like_a_mark_is_no_data(raw: bytes) -> None:
    assert data(raw) == []


def test_comments_are_left_out() -> None:
    raw = b": OPENROUTER PROCESSING\n\n:\n\ndata: x\n:inside\n: data: no\ndata: y\n\n::\n"
    assert data(raw) == ["x\ny"]


def test_one_space_after_the_colon_is_dropped_and_no_other_white_space() -> None:
    assert data(b"data:x\n\ndata: x\n\ndata:  x \n\ndata:\tx\n\n") == ["x", "x", " x ", "\tx"]


def test_a_field_without_a_colon_has_no_value() -> None:
    assert data(b"data\n\ndata\ndata\n\ndata:\n\n") == ["", "\n", ""]


def test_a_value_may_hold_colons() -> None:
    assert data(b"data: a: b:c\n\n") == ["a: b:c"]


def test_unknown_fields_and_ids_and_retries_change_nothing() -> None:
    raw = b"id: 7\nretry: 10\ndata: x\nfoo: bar\n data: no\nDATA: no\ndata : no\n\nid\n\n"
    assert records(raw) == [("", "x")]


def test_the_last_event_line_names_the_event() -> None:
    assert records(b"event: a\nevent: b\ndata: x\n\n") == [("b", "x")]
    assert records(b"event: a\nevent\ndata: x\n\n") == [("", "x")]


def test_an_id_belongs_to_its_own_record() -> None:
    raw = b"id: 1\ndata: x\n\ndata: y\n\nid: 2\n\ndata: z\n\n"
    found = decoded(lambda: SSEDecoder(LIMIT), raw)
    assert [(one.id, one.data) for one in found] == [(b"1", b"x"), (b"", b"y"), (b"", b"z")]


def test_an_event_without_data_is_none_and_its_name_ends_with_it() -> None:
    assert records(b"event: ping\n\ndata: x\n\n") == [("", "x")]


def test_a_name_holds_for_one_record() -> None:
    assert records(b"event: a\ndata: x\n\ndata: y\n\n") == [("a", "x"), ("", "y")]


def test_unicode_line_separators_end_no_line() -> None:
    text = "a\u2028b\u2029c\x85d\x0be\x0cf\x1cg"
    assert data(f"data: {text}\n\n".encode()) == [text]


def test_bytes_that_are_no_utf8_are_left_to_the_reader() -> None:
    assert decoded(lambda: SSEDecoder(LIMIT), b"data: \xff\xc3\n\n") == [Record(b"", b"\xff\xc3")]


def test_a_nul_is_a_byte_like_others() -> None:
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
def test_the_end_gives_what_a_forgotten_blank_line_held_back(raw: bytes, last: list[str]) -> None:
    assert data(raw) == last


def test_nothing_is_left_after_the_end() -> None:
    decoder = SSEDecoder(LIMIT)
    decoder.decode(b"event: x\ndata: half")
    assert decoder.flush() == [Record(b"x", b"half")]
    assert decoder.flush() == []


def test_empty_reads_change_nothing() -> None:
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
def test_a_line_and_an_event_are_bounded_whatever_the_cuts(raw: bytes, refused: int) -> None:
    def read(pieces: Pieces) -> bool:
        decoder = SSEDecoder(65)
        try:
            for piece in pieces:
                decoder.decode(piece)
        except TooLong:
            return True
        return False

    assert same_for_all_cuts(read, raw) == bool(refused)


def test_an_endless_line_is_refused_before_it_fills_the_memory() -> None:
    decoder = SSEDecoder(LIMIT)
    for _ in range(LIMIT // 2):
        assert decoder.decode(b"xx") == []
    with pytest.raises(TooLong, match="4096"):
        decoder.decode(b"x")


def time_of(raw: bytes, piece_bytes: int) -> float:
    """How long a body takes in small pieces, the best of three."""
    times = []
    for _ in range(3):
        decoder = SSEDecoder(1 << 24)
        began = time.thread_time()
        for at in range(0, len(raw), piece_bytes):
            decoder.decode(raw[at : at + piece_bytes])
        times.append(time.thread_time() - began)
    return min(times)


@pytest.mark.parametrize("line", [b"x", b"data: x\n", b"data\n"])
def test_time_is_linear_in_a_record_that_comes_in_small_pieces(line: bytes) -> None:
    """Eight times the bytes may take some 8 times as long; a quadratic decoder takes 64 times."""
    small = b"data: " + line * (64_000 // len(line))
    assert time_of(small * 8, 16) < 24 * time_of(small, 16) + 0.01
