"""Parsing of measured streams: every delta is found however the bytes were cut, and every gap is noticed."""

import struct

import pytest

from tests.bench.answer import HEAD, Script, http_chunk
from tests.bench.client import Stream
from tests.bench.dialects import Dialect
from tests.bench.figures import figure, read
from tests.bench.question import STAMP, Order, read_order

ORDER = Order(deltas=4, rate=100, phase_us=250)
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def openai(numbers: tuple[int, ...]) -> bytes:
    script = Script()
    deltas = b"".join(script.delta(number, 1000 + number) for number in numbers)
    return script.opening() + deltas + script.closing(len(numbers))


def freshet(numbers: tuple[int, ...]) -> bytes:
    text = b"".join(STAMP % (number, 1000 + number) for number in numbers)
    frame = b'id: AAAAAAAAAAAAAAAAAAAAAA:1:2\ndata: {"text": "%b"}\n\n' % text
    return HEAD + http_chunk(frame) + http_chunk(b'event: done\ndata: {"done": true}\n\n') + b"0\r\n\r\n"


def websocket(numbers: tuple[int, ...]) -> bytes:
    text = b'{"text": "%b"}' % b"".join(STAMP % (number, 1000 + number) for number in numbers)
    messages = (b" " * 70_000, text, b'{"done": true, "run": "AAAAAAAAAAAAAAAAAAAAAA"}')
    return SWITCHED + b"".join(map(_message, messages))


def _message(payload: bytes) -> bytes:
    if len(payload) > 65_535:
        return struct.pack("!BBQ", 0x81, 127, len(payload)) + payload
    if len(payload) > 125:
        return struct.pack("!BBH", 0x81, 126, len(payload)) + payload
    return struct.pack("!BB", 0x81, len(payload)) + payload


BODIES = (("openai", openai), ("freshet", freshet), ("websocket", websocket))


def stream_of(dialect: Dialect, reads: list[tuple[int, bytes]]) -> Stream:
    stream = Stream(dialect, ORDER, 1)
    stream.reads = reads
    return stream


@pytest.mark.parametrize(("dialect", "body"), BODIES)
def test_every_two_way_split_gives_the_same_deltas_with_the_time_of_their_last_byte(dialect, body):
    received = body((1, 2, 3, 4))
    for cut in range(max(1, len(received) - 2000), len(received)):
        reading = read(stream_of(dialect, [(5000, received[:cut]), (6000, received[cut:]), (7000, b"")]))
        assert not reading.failure
        assert [arrival.number for arrival in reading.arrivals] == [1, 2, 3, 4]
        assert [arrival.sent_ns for arrival in reading.arrivals] == [1001, 1002, 1003, 1004]
        for arrival in reading.arrivals:
            last_byte = received.index(STAMP % (arrival.number, arrival.sent_ns)) + len(" 1.3e9")
            assert arrival.received_ns == (5000 if last_byte <= cut else 6000)


@pytest.mark.parametrize(("dialect", "body"), BODIES)
@pytest.mark.parametrize(
    ("numbers", "lost", "repeated"),
    [((1, 2, 3, 4), 0, 0), ((1, 3, 4), 1, 0), ((1, 2, 2, 4), 1, 1), ((2, 1, 3, 4), 0, 1)],
)
def test_losses_and_repetitions_are_counted(dialect, body, numbers, lost, repeated):
    figures = figure([stream_of(dialect, [(5000, body(numbers))])], 0, 10_000)
    assert (figures.lost, figures.repeated, figures.failed) == (lost, repeated, 0)


@pytest.mark.parametrize(
    ("received", "failure"),
    [
        (b"", "status 0"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n{}", "status 503"),
        (freshet((1, 2)).partition(b"event: done")[0], "no end mark"),
        (HEAD + b"zz\r\n", "broken framing"),
    ],
)
def test_a_stream_that_did_not_end_as_it_should_has_failed(received, failure):
    assert failure in read(stream_of("freshet", [(5000, received)])).failure


def test_an_order_is_read_back_from_a_request():
    assert read_order(f'{{"content": "{ORDER.text()}"}}'.encode()) == ORDER
    assert read_order(b'{"content": "hello"}') is None
