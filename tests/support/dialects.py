"""Answers in the wire formats of the providers: a list of encoded events for each."""

import json
from collections.abc import Iterable

Payload = dict[str, object]
Counts = tuple[int, int]


def sse(payload: object, event: str | None = None) -> bytes:
    """Encode one server-sent event."""
    text = payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False)
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {text}\n\n".encode()


DONE = sse("[DONE]")


def openai_delta(text: str | None, **delta: object) -> bytes:
    """Return a chat chunk whose delta has `text`."""
    fields = ({} if text is None else {"content": text}) | delta
    return sse({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": fields}]})


def openai_finish(reason: str = "stop", usage: Counts | None = (3, 5)) -> list[bytes]:
    """Return the last chunks, without `[DONE]`: the finish reason, then the usage."""
    events = [sse({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})]
    if usage:
        events.append(sse({"choices": [], "usage": openai_usage(*usage)}))
    return events


def openai_usage(prompt: int, completion: int) -> Payload:
    """Make the usage object of an OpenAI answer."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def openai(
    pieces: Iterable[str], *, finish: str | None = "stop", usage: Counts | None = (3, 5), done: bool = True
) -> list[bytes]:
    """Make a chat answer: `choices[0].delta.content`."""
    events = [openai_delta("", role="assistant"), *(openai_delta(piece) for piece in pieces)]
    if finish:
        events += openai_finish(finish, usage)
    return [*events, DONE] if done else events


def openai_text(pieces: Iterable[str], *, finish: str = "stop", done: bool = True) -> list[bytes]:
    """Return an answer in the older format: `choices[0].text`."""
    events = [sse({"choices": [{"index": 0, "text": piece}]}) for piece in pieces]
    events.append(sse({"choices": [{"index": 0, "text": "", "finish_reason": finish}]}))
    return [*events, DONE] if done else events


def anthropic_delta(text: str, index: int = 0) -> bytes:
    """Encode one text delta."""
    delta = {"type": "text_delta", "text": text}
    return anthropic_event("content_block_delta", index=index, delta=delta)


def anthropic_event(kind: str, **fields: object) -> bytes:
    """Encode one named event."""
    return sse({"type": kind, **fields}, kind)


def anthropic_begin(input_tokens: int = 3) -> list[bytes]:
    """Return the events before the first delta."""
    message = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "usage": {"input_tokens": input_tokens, "output_tokens": 1},
    }
    return [
        anthropic_event("message_start", message=message),
        anthropic_event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        anthropic_event("ping"),
    ]


def anthropic_finish(stop: str = "end_turn", output_tokens: int = 5) -> list[bytes]:
    """Return the events after the last delta."""
    return [
        anthropic_event("content_block_stop", index=0),
        anthropic_event("message_delta", delta={"stop_reason": stop}, usage={"output_tokens": output_tokens}),
        anthropic_event("message_stop"),
    ]


def anthropic(pieces: Iterable[str], *, stop: str = "end_turn", usage: Counts = (3, 5)) -> list[bytes]:
    """Make a whole Anthropic answer."""
    deltas = [anthropic_delta(piece) for piece in pieces]
    return [*anthropic_begin(usage[0]), *deltas, *anthropic_finish(stop, usage[1])]


def ndjson(payload: object) -> bytes:
    """Encode one line of JSON."""
    return json.dumps(payload, ensure_ascii=False).encode() + b"\n"


def ollama_delta(text: str) -> bytes:
    """Encode one line that carries `text`."""
    return ndjson({"model": "llama3", "message": {"role": "assistant", "content": text}, "done": False})


def ollama(pieces: Iterable[str], *, reason: str = "stop", usage: Counts = (3, 5)) -> list[bytes]:
    """Make a whole Ollama answer."""
    last = {
        "model": "llama3",
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": reason,
        "prompt_eval_count": usage[0],
        "eval_count": usage[1],
    }
    return [*(ollama_delta(piece) for piece in pieces), ndjson(last)]


def pieces_of(text: str, size: int = 4) -> list[str]:
    """Split a text into pieces of `size` characters."""
    return [text[at : at + size] for at in range(0, len(text), size)]


def responses(pieces: Iterable[str], *, usage: Counts = (3, 5), model: str = "gpt") -> list[bytes]:
    """Make an answer of OpenAI's Responses API."""
    place = {"output_index": 0, "content_index": 0}
    begun = {"id": "resp_1", "object": "response", "status": "in_progress", "model": model, "output": []}
    text = {"type": "output_text", "text": "".join(pieces := list(pieces)), "annotations": []}
    message = {"type": "message", "role": "assistant", "status": "completed", "content": [text]}
    counts = {"input_tokens": usage[0], "output_tokens": usage[1], "total_tokens": sum(usage)}
    whole = begun | {"status": "completed", "output": [message], "usage": counts}
    return [
        responses_event("response.created", response=begun),
        responses_event("response.in_progress", response=begun),
        *(responses_event("response.output_text.delta", **place, delta=piece) for piece in pieces),
        responses_event("response.output_item.done", output_index=0, item=message),
        responses_event("response.completed", response=whole),
    ]


def responses_event(kind: str, **fields: object) -> bytes:
    """Encode one event of the Responses API."""
    return sse({"type": kind, **fields}, kind)
