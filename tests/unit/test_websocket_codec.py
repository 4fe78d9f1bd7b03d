"""Encoding WebSocket frames and checking incoming ones; wsproto is the reference."""

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Ping, TextMessage

from tests.unit.splits import Pieces, same_for_all_splits
from webapp.codecs.websocket import Inspector, Violation, close_frame, ping_frame, text_message

SIZES = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000]


def read_as_client(raw: bytes) -> list[object]:
    client = Connection(ConnectionType.CLIENT)
    client.receive_data(raw)
    return list(client.events())


@pytest.mark.parametrize("size", SIZES)
def test_text_messages_use_every_form_of_length(size: int) -> None:
    (message,) = read_as_client(text_message(b"x" * size))
    assert isinstance(message, TextMessage)
    assert (len(message.data), message.message_finished) == (size, True)


def test_several_frames_in_one_write_are_all_read() -> None:
    raw = text_message("é".encode()) + ping_frame() + text_message(b"{}") + close_frame(1012, "come back")
    text, ping, other, close = read_as_client(raw)
    assert (text.data, other.data) == ("é", "{}")
    assert isinstance(ping, Ping)
    assert isinstance(close, CloseConnection)
    assert (close.code, close.reason) == (1012, "come back")


def test_a_close_reason_is_cut_to_fit_a_control_frame() -> None:
    (close,) = read_as_client(close_frame(4400, "x" * 500))
    assert (close.code, len(close.reason)) == (4400, 123)


# Incoming frames.


def text(size: int, *, finished: bool = True) -> TextMessage:
    return TextMessage(data="x" * size, message_finished=finished)


def client_bytes(*events: object) -> bytes:
    client = Connection(ConnectionType.CLIENT)
    return b"".join(client.send(event) for event in events)


def close_code_for(raw: bytes, *, max_message_bytes: int = 1000, max_frames: int = 100) -> int | None:
    """Return the close code for incoming bytes, None if they are accepted; the same for all splits."""

    def read(pieces: Pieces) -> int | None:
        inspector = Inspector(max_message_bytes, max_frames)
        try:
            for piece in pieces:
                inspector.feed(piece, 0.0)
        except Violation as violation:
            return violation.code
        return None

    return same_for_all_splits(read, raw)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 1000])
def test_messages_within_the_limit_pass(size: int) -> None:
    assert close_code_for(client_bytes(text(size), Ping(), text(size))) is None


def test_a_message_over_the_limit_is_refused_at_its_head() -> None:
    raw = client_bytes(text(1001))
    assert close_code_for(raw) == 1009
    assert close_code_for(raw[:8]) == 1009


def test_a_length_of_two_to_the_sixty_second_is_refused_at_once() -> None:
    assert close_code_for(b"\x81\xff" + (2**62).to_bytes(8, "big") + b"mask") == 1009


def test_the_fragments_of_a_message_are_counted_together() -> None:
    halves = [text(600, finished=False), text(500)]
    assert close_code_for(client_bytes(*halves)) == 1009
    assert close_code_for(client_bytes(text(600, finished=False), Ping(), text(400), text(1000))) is None


def test_binary_is_refused() -> None:
    assert close_code_for(client_bytes(BytesMessage(data=b"x"))) == 1003


def test_an_unmasked_frame_is_checked_too() -> None:
    assert close_code_for(text_message(b"x" * 500) + text_message(b"x" * 1001)) == 1009


def test_a_flood_of_frames_is_refused() -> None:
    pings = client_bytes(*[Ping()] * 11)
    assert close_code_for(pings, max_frames=10) == 4429
    assert close_code_for(client_bytes(*[Ping()] * 10), max_frames=10) is None


def test_frames_are_counted_over_ten_seconds() -> None:
    inspector = Inspector(1000, 2)
    ping = client_bytes(Ping())
    for now in (0.0, 6.0, 10.0, 16.0):
        inspector.feed(ping, now)
    with pytest.raises(Violation, match="too many"):
        inspector.feed(ping, 19.0)


def test_an_unfinished_message_becomes_overdue() -> None:
    inspector = Inspector(1000, 100)
    raw = client_bytes(text(500))
    inspector.feed(raw[:100], 5.0)
    inspector.feed(raw[100:200], 14.0)
    assert not inspector.is_overdue(15.0, 10.0)
    assert inspector.is_overdue(15.1, 10.0)
    inspector.feed(raw[200:], 15.2)
    assert not inspector.is_overdue(99.0, 10.0)


def test_a_large_message_on_a_slow_line_is_not_overdue() -> None:
    """An image at 32 kB a second takes minutes; at a few bytes a second it is overdue."""
    raw = client_bytes(text(10_000_000))
    quick, drip = Inspector(16_000_000, 100), Inspector(16_000_000, 100)
    for second in range(300):
        quick.feed(raw[second * 32_000 : (second + 1) * 32_000], float(second))
        assert not quick.is_overdue(float(second), 10.0)
        drip.feed(raw[second * 100 : (second + 1) * 100], float(second))
    assert drip.is_overdue(13.0, 10.0)


def test_a_partial_head_or_fragment_is_an_unfinished_message() -> None:
    for raw in (
        client_bytes(text(500))[:1],
        client_bytes(text(5, finished=False)),
        client_bytes(text(5))[:-1],
    ):
        inspector = Inspector(1000, 100)
        inspector.feed(raw, 1.0)
        assert inspector.is_overdue(11.1, 10.0)


def test_a_ping_does_not_finish_a_message() -> None:
    inspector = Inspector(1000, 100)
    inspector.feed(client_bytes(text(5, finished=False)), 0.0)
    inspector.feed(client_bytes(Ping()), 9.0)
    assert inspector.is_overdue(10.1, 10.0)


def test_continuous_messages_are_not_overdue() -> None:
    """Each read ends inside a message, as it does while a client sends continuously."""
    inspector = Inspector(1000, 1000)
    raw = client_bytes(*[text(90)] * 200)
    for number, at in enumerate(range(0, len(raw) - 100, 100)):
        inspector.feed(raw[at : at + 100], float(number))
        assert not inspector.is_overdue(float(number), 3.0), f"after {number} seconds"
