"""A fake of Anthropic's API that signs what it thinks, and refuses thinking that comes back in another form.

It refuses what the real one refuses, in its words: a signature that is missing, changed, of another account, model or
conversation; blocks that were moved, or left out from between others; a turn that begins with text or ends with thinking;
thinking where it is turned off; an answer that was begun for a model. Every body is parsed with the types of Anthropic's own
Python package.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

import anthropic.types
import pydantic

from tests.support.dialects import anthropic_event

SAMPLING = {"temperature", "top_p", "top_k"}
_PARAMS = pydantic.TypeAdapter(anthropic.types.message_create_params.MessageCreateParamsStreaming)
_THINKING = ("thinking", "redacted_thinking")
_BOUND = (
    " The block is bound to a different conversation. Remove the block, or set `thinking.block_binding."
    'prefix_mismatch_behavior` to "drop_block".'
)

Json = dict[str, Any]
Block = tuple[str, str]
"""A block of an answer: `thinking`, `redacted_thinking` or `text`, and its text."""


def check_with_package(body: Json) -> None:
    """Parse a body as Anthropic's package types it; whatever the types do not have would be lost.

    They no longer have the sampling parameters, which only older models take.
    """
    typed = {name: value for name, value in body.items() if name not in SAMPLING}
    parsed = _PARAMS.validate_python(typed)
    # The package types messages as iterables, which are parsed as they are read.
    parsed["messages"] = [dict(message) for message in parsed["messages"]]
    for message, original in zip(parsed["messages"], typed["messages"], strict=True):
        if not isinstance(message["content"], str):
            message["content"] = [dict(part) for part in message["content"]]
        assert message == original
    assert parsed == typed


def refuse(body: Json, key: str = "") -> str | None:
    """Return why the API refuses a body, or None if it answers."""
    check_with_package(body)
    thinks = body.get("thinking", {}).get("type") in ("adaptive", "enabled")
    if body["messages"][-1]["role"] == "assistant" and thinks:
        return "This model does not support assistant message prefill. The conversation must end with a user message."
    for at, message in enumerate(body["messages"]):
        content = message["content"]
        if message["role"] == "user" or isinstance(content, str):
            continue
        kinds = [block["type"] for block in content]
        if not set(kinds) & set(_THINKING):
            continue
        if not thinks:
            return "When thinking is disabled, an `assistant` message cannot contain `thinking`."
        if kinds[0] not in _THINKING:
            return (
                f"messages.{at}.content.0: If an assistant message contains any thinking blocks, the first block must be "
                f"`thinking` or `redacted_thinking`. Found `{kinds[0]}`."
            )
        if kinds[-1] in _THINKING:
            return f"messages.{at}: The final block in an assistant message cannot be `thinking`."
        for place, block in enumerate(content):
            if block["type"] in _THINKING and (found := _refuse_block(body, key, at, place)):
                return f"messages.{at}.content.{place}{found}"
    return None


def _refuse_block(body: Json, key: str, at: int, place: int) -> str | None:
    content = body["messages"][at]["content"]
    block = content[place]
    if block["type"] == "thinking" and not block["signature"]:
        return ".thinking.signature: Field required"
    given = block["signature"] if block["type"] == "thinking" else block["data"]
    before = [(each["type"], _text_of(each)) for each in content[:place]]
    text = block.get("thinking", "")
    if given == _sign(_origin(body, key, at), before, text):
        return None
    try:
        is_ours = base64.b64decode(given, validate=True).startswith(b"signed")
    except ValueError:
        is_ours = False
    return f": Invalid `signature` in `{block['type']}` block.{_BOUND if is_ours else ''}"


def _text_of(block: Json) -> str:
    return str(block[{"thinking": "signature", "redacted_thinking": "data"}.get(block["type"], "text")])


def _origin(body: Json, key: str, at: int) -> str:
    """Return what the blocks of the answer at a place of a body's messages depend on."""
    return json.dumps([key, body["model"], body.get("system"), body["messages"][:at]])


def _sign(origin: str, before: Sequence[Block], thinking: str) -> str:
    signed = json.dumps([origin, before, thinking]).encode()
    return base64.b64encode(b"signed" + hmac.new(b"claude", signed, hashlib.sha256).digest()).decode()


def signed_blocks(body: Json, blocks: Sequence[Block], key: str = "") -> list[Json]:
    """Return the blocks of an answer to a body as they are sent, and must come back."""
    origin, before, found = _origin(body, key, len(body["messages"])), list[Block](), []
    for kind, text in blocks:
        if kind == "thinking":
            block = {"type": kind, "thinking": text, "signature": _sign(origin, before, text)}
        elif kind == "redacted_thinking":
            block = {"type": kind, "data": _sign(origin, before, "")}
        else:
            block = {"type": kind, "text": text}
        before.append((kind, _text_of(block)))
        found.append(block)
    return found


def think(body: Json, blocks: Sequence[Block], key: str = "", stop: str | None = "end_turn") -> list[bytes]:
    """Return the events of an answer to a body; without `stop` it breaks off before its end."""
    message = {"id": "m", "type": "message", "role": "assistant", "model": body["model"], "content": []}
    events = [
        anthropic_event("message_start", message=message | {"usage": {"input_tokens": 3, "output_tokens": 1}})
    ]
    for index, block in enumerate(signed_blocks(body, blocks, key)):
        events += _block_events(index, block)
    if stop is not None:
        events.append(
            anthropic_event("message_delta", delta={"stop_reason": stop}, usage={"output_tokens": 5})
        )
        events.append(anthropic_event("message_stop"))
    return events


def _block_events(index: int, block: Json) -> list[bytes]:
    def delta(**fields: str) -> bytes:
        return anthropic_event("content_block_delta", index=index, delta=fields)

    kind = block["type"]
    start, deltas = block, list[bytes]()
    if kind == "thinking":
        start = block | {"thinking": "", "signature": ""}
        thinking = block["thinking"]
        halves = (thinking[: len(thinking) // 2], thinking[len(thinking) // 2 :])
        deltas = [delta(type="thinking_delta", thinking=half) for half in halves if half]
        deltas.append(delta(type="signature_delta", signature=block["signature"]))
    elif kind == "text":
        start = block | {"text": ""}
        deltas = [delta(type="text_delta", text=piece) for piece in _words(block["text"])]
    return [
        anthropic_event("content_block_start", index=index, content_block=start),
        *deltas,
        anthropic_event("content_block_stop", index=index),
    ]


def _words(text: str) -> list[str]:
    return [word if at == 0 else f" {word}" for at, word in enumerate(text.split(" "))]
