"""Parsing the head of a response, split anywhere."""

import pytest

from webapp.providers.http.head import MAX_HEAD_BYTES, BadHead, ResponseHead, split_head


def parse(raw: bytes) -> ResponseHead:
    found = split_head(raw + b"\r\n\r\n")
    assert found is not None
    return found[0]


RAW = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-A: 1\r\nx-a: 2\r\n\r\nbody"


def test_a_head_is_incomplete_until_its_blank_line() -> None:
    end = RAW.index(b"\r\n\r\n") + 4
    for cut in range(len(RAW) + 1):
        found = split_head(RAW[:cut])
        assert (found is not None) == (cut >= end), cut
        if found is not None:
            assert found == (
                ResponseHead(200, {"content-type": "text/event-stream", "x-a": "1, 2"}, True),
                RAW[end:cut],
            )


@pytest.mark.parametrize(
    ("raw", "status", "keeps_alive"),
    [
        (b"HTTP/1.1 200", 200, True),
        (b"HTTP/1.1 200 ", 200, True),
        (b"HTTP/1.0 200 OK", 200, False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive", 200, True),
        (b"HTTP/1.1 429 Slow down\r\nConnection: close", 429, False),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK",
            200,
            True,
        ),
        (b"HTTP/1.1 200 OK\nX-A: bare line feeds\n", 200, True),
    ],
)
def test_status_and_keep_alive_are_parsed(raw: bytes, status: int, keeps_alive: bool) -> None:
    head = parse(raw)
    assert (head.status, head.keeps_alive) == (status, keeps_alive)


def test_a_folded_header_line_is_joined() -> None:
    assert parse(b"HTTP/1.1 200 OK\r\nX-A: one\r\n\t two\r\nX-B: 3").headers == {"x-a": "one two", "x-b": "3"}


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nName : x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * MAX_HEAD_BYTES,
        b"\x16\x03\x01",
    ],
)
def test_an_invalid_head_is_refused(raw: bytes) -> None:
    with pytest.raises(BadHead):
        split_head(raw)


@pytest.mark.parametrize(
    ("headers", "is_chunked", "length"),
    [
        (b"Transfer-Encoding: chunked", True, None),
        (b"Transfer-Encoding: gzip, Chunked", True, None),
        (b"Transfer-Encoding: chunked, gzip", False, None),
        (b"Content-Length: 12", False, 12),
        (b"Content-Length: 12\r\nContent-Length: 12", False, 12),
        (b"Content-Length: 12\r\nContent-Length: 13", False, None),
        (b"Content-Length: -1", False, None),
        (b"Content-Length: 1e3", False, None),
        (b"X: y", False, None),
    ],
)
def test_transfer_coding_and_length_are_parsed(headers: bytes, is_chunked: bool, length: int | None) -> None:
    head = parse(b"HTTP/1.1 200 OK\r\n" + headers)
    assert (head.is_chunked, head.length) == (is_chunked, length)
