"""Frames and cursors, and their encoding."""

import json
import random
from decimal import Decimal
from typing import Any

import pytest

from webapp.chat import Usage
from webapp.errors import AnswerError
from webapp.frames import (
    RESET_BYTES,
    Cursor,
    Frame,
    Reset,
    RunResult,
    Start,
    cost_to_json,
    done_frame,
    encode_message,
    encode_sse,
    encode_sse_records,
    error_frame,
    is_run_id,
    new_run,
    notice_frame,
    reasoning_frame,
    reset_frames,
    start_frame,
    text_frame,
)

RUN = "AAAAAAAAAAAAAAAAAAAA-_"
START = Start(run=RUN, provider="openai", model="gpt-4.1")


def result(
    cost: str | None = "0.000012", *, damaged: int = 0, estimated: bool = False, **rest: Any
) -> RunResult:
    return RunResult(
        **({"state": "done", "finish_reason": "stop"} | rest),
        usage=Usage(3, 5, estimated=estimated),
        cost=None if cost is None else Decimal(cost),
        sha256="ab" * 32,
        provider="openai",
        model="gpt-4.1",
        damaged=damaged,
    )


FRAMES = [
    start_frame(START),
    text_frame("Hello"),
    reasoning_frame("Hm"),
    notice_frame("reconnect", 500),
    done_frame(result()),
    error_frame(AnswerError("interrupted"), result(), partial=True),
    *reset_frames(Reset(text="Hel", reasoning="", start=START)),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.kind)
def test_the_first_key_is_the_kind_of_the_frame(frame: Frame) -> None:
    assert next(iter(json.loads(frame.payload))) == frame.kind


def test_only_done_and_error_are_terminal() -> None:
    assert [frame.kind for frame in FRAMES if frame.terminal] == ["done", "error"]


def test_a_done_frame_has_usage_and_cost() -> None:
    body = json.loads(done_frame(result()).payload, parse_float=Decimal)
    assert body == {
        "done": True,
        "finish_reason": "stop",
        "usage": {"input_tokens": 3, "output_tokens": 5},
        "cost": Decimal("0.000012"),
        "sha256": "ab" * 32,
        "provider": "openai",
        "model": "gpt-4.1",
    }


def test_optional_fields_are_present_only_if_set() -> None:
    rare = json.loads(
        done_frame(result(damaged=2, estimated=True, finish_reason="cancelled", stopped_by="orphan")).payload
    )
    assert (rare["by"], rare["damaged"], rare["usage"]["estimated"]) == ("orphan", 2, True)


def test_an_error_frame_has_our_message_and_the_retry_time() -> None:
    error = AnswerError("upstream_rate_limited", retry_after_s=12.34567)
    body = json.loads(error_frame(error, result(None), partial=False).payload)
    assert body["error"] == "The model provider is receiving too many requests. Try again in a moment."
    assert (body["code"], body["retryable"], body["partial"]) == ("upstream_rate_limited", True, False)
    assert (body["retry_after"], body["cost"]) == (12.346, None)


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("1.2E-5", "0.000012"),
        ("0", "0"),
        ("1E+3", "1000"),
        ("0.000000001", "0.000000001"),
        ("12.50", "12.50"),
    ],
)
def test_costs_are_encoded_without_an_exponent(amount: str, written: str) -> None:
    assert bytes(cost_to_json(Decimal(amount))).decode() == written
    assert f'"cost":{written},' in done_frame(result(amount)).payload.decode()


@pytest.mark.parametrize("char", ["\u2028", "\u2029", "\x85"])
def test_unicode_line_separators_are_escaped(char: str) -> None:
    text = f"é{char}你{char}"
    payload = text_frame(text).payload
    assert json.loads(payload)["text"] == text
    assert len(payload.decode().splitlines()) == 1


def test_every_character_is_preserved_in_one_line(dice: random.Random) -> None:
    for _ in range(300):
        text = "".join(
            chr(
                dice.choice([dice.randrange(0x100), dice.randrange(0xD800), dice.randrange(0xE000, 0x110000)])
            )
            for _ in range(40)
        )
        payload = text_frame(text).payload
        assert json.loads(payload) == {"text": text}
        assert payload.decode().splitlines() == [payload.decode()]


# Cursors.


def test_a_run_id_has_128_bits_in_22_characters() -> None:
    names = {new_run() for _ in range(100)}
    assert len(names) == 100
    assert all(is_run_id(name) and len(name) == 22 for name in names)


@pytest.mark.parametrize(
    "name", ["", "short", RUN + "A", RUN[:-1] + "=", RUN[:-1] + "é", RUN[:-1] + "\n", RUN[:-1]]
)
def test_invalid_run_ids_are_refused(name: str) -> None:
    assert not is_run_id(name)


@pytest.mark.parametrize(("epoch", "seq"), [(1, 0), (1, 1), (2, 10), (9_999_999_999, 999_999_999_999_999)])
def test_a_cursor_round_trips(epoch: int, seq: int) -> None:
    cursor = Cursor(RUN, epoch, seq)
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "::",
        RUN,
        f"{RUN}:1",
        f"{RUN}:1:",
        f"{RUN}::1",
        f"{RUN}:0:1",
        f"{RUN}:01:1",
        f"{RUN}:1:01",
        f"{RUN}:1:-1",
        f"{RUN}:-1:1",
        f"{RUN}:+1:1",
        f"{RUN}:1:1.0",
        f"{RUN}:1:1e3",
        f"{RUN}:1:0x1",
        f"{RUN}:1:１",
        f"{RUN}:1:1 ",
        f" {RUN}:1:1",
        f"{RUN}:1:1\n",
        f"{RUN}:1:1:1",
        f"{RUN[:-1]}:1:1",
        f"{RUN}A:1:1",
        f"{RUN}:1:1000000000000000",
        f"{RUN}:10000000000:1",
        f"{RUN}:1:{'9' * 5000}",
        "x" * 100_000,
    ],
)
def test_invalid_cursors_are_refused(text: str) -> None:
    assert Cursor.parse(text) is None


# SSE and WebSocket.


def test_sse_records_have_an_id_and_name_the_terminal_event() -> None:
    assert encode_sse(text_frame("x"), b"c:1:2") == b'id: c:1:2\ndata: {"text":"x"}\n\n'
    assert encode_sse(text_frame("x"), None) == b'data: {"text":"x"}\n\n'
    assert encode_sse(done_frame(result()), b"c").startswith(b'id: c\nevent: done\ndata: {"done":true')
    failed = error_frame(AnswerError("internal"), result(), partial=False)
    assert encode_sse(failed, None).startswith(b"event: error\ndata: {")


@pytest.mark.parametrize("first", [1, 9, 1_020, 16_380, 40_000])
@pytest.mark.parametrize("count", [0, 1, 2, 11])
@pytest.mark.parametrize("is_whole", [False, True])
def test_records_that_are_encoded_at_once_are_the_same(first: int, count: int, is_whole: bool) -> None:
    frames = [text_frame(f"% {number}") for number in range(count)] + [done_frame(result())] * is_whole
    expected = [
        encode_sse(frame, b"%b:2:%d" % (RUN.encode(), seq)) for seq, frame in enumerate(frames, first)
    ]
    assert encode_sse_records(frames, b"%b:2:" % RUN.encode(), first) == b"".join(expected)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: frame.kind)
def test_sse_and_websocket_carry_the_same_json(frame: Frame) -> None:
    body = json.loads(frame.payload)
    lines = encode_sse(frame, b"c").decode().split("\n")
    assert [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")] == [body]
    assert lines[-2:] == ["", ""]
    message = json.loads(encode_message(frame, RUN, f"{RUN}:1:1", ref='a"b'))
    assert message == body | {"run": RUN, "id": f"{RUN}:1:1", "ref": 'a"b'}


def test_a_message_without_cursor_and_ref_has_neither() -> None:
    assert json.loads(encode_message(text_frame("x"), RUN, None)) == {"text": "x", "run": RUN}
    assert json.loads(encode_message(text_frame("x"), RUN, None, 0))["ref"] == 0


# Resets.


def assemble_reset(text: str, reasoning: str = "") -> tuple[str, str, list[Frame]]:
    """Join the frames of a reset as a client does."""
    frames = reset_frames(Reset(text=text, reasoning=reasoning, start=START))
    body = json.loads(frames[0].payload)["reset"]
    texts = [json.loads(frame.payload)["text"] for frame in frames[1:] if frame.kind == "text"]
    thoughts = [json.loads(frame.payload)["reasoning"] for frame in frames[1:] if frame.kind == "reasoning"]
    return body["text"] + "".join(texts), body["reasoning"] + "".join(thoughts), frames


def test_a_short_reset_is_one_frame() -> None:
    text, reasoning, frames = assemble_reset("Hello", "Hm")
    assert (text, reasoning, len(frames)) == ("Hello", "Hm", 1)
    body = json.loads(frames[0].payload)["reset"]
    assert set(body) == {"text", "reasoning", "sources", "start"}
    assert body["start"]["run"] == RUN


@pytest.mark.parametrize("text_size", [0, 1, RESET_BYTES - 1, RESET_BYTES, RESET_BYTES + 1, 300_000])
@pytest.mark.parametrize("reasoning_size", [0, 1, RESET_BYTES, 200_000])
@pytest.mark.parametrize("char", ["x", "é", "😀"])
def test_a_reset_is_complete_in_frames_of_at_most_64_kib(
    text_size: int, reasoning_size: int, char: str
) -> None:
    text, reasoning = char * (text_size // len(char.encode())), char * (reasoning_size // len(char.encode()))
    whole_text, whole_reasoning, frames = assemble_reset(text, reasoning)
    assert (whole_text, whole_reasoning) == (text, reasoning)
    assert frames[0].kind == "reset"
    for frame in frames:
        body = json.loads(frame.payload)
        body = body.get("reset", body)
        carried = body.get("text", "") + body.get("reasoning", "")
        assert len(carried.encode()) <= RESET_BYTES
