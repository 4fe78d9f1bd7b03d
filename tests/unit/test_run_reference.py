"""The reference to a run's request, which the journal keeps for another worker."""

import msgspec

from tests.unit.starting import HI, STARTER, build_spec, user
from webapp.api.run_reference import VERSION, decode_reference, encode_reference
from webapp.chat import ModelMessage, ModelRequest, TextPart
from webapp.conversation import Message
from webapp.journal_records import MAX_REQUEST_BYTES
from webapp.store.images import StoredImage
from webapp.store.turns import TurnPlan
from webapp.store.writes import TurnStart

CHAIN = STARTER.providers.resolve("openai", "gpt-4.1")
REQUEST = ModelRequest(messages=(ModelMessage.user("Hi"),), max_tokens=9)


def plan(text: str, prefix: str = "") -> TurnPlan:
    question = Message(id="q", parent=None, role="user", content=(TextPart(text),), created_at=1)
    answer = Message(id="a", parent="q", role="assistant", content=(), created_at=2, state="streaming")
    image = StoredImage(id="i", media_type="image/png", content=b"png")
    start = TurnStart(
        owner="user:owner",
        conversation="c",
        system="Be brief.",
        title="Hi",
        question=question,
        images=(image,),
        answer=answer,
    )
    missing: object = None
    return TurnPlan(
        conversation="c",
        question="q",
        system=None,
        messages=(question,),
        images={},
        prefix=prefix,
        sources=(),
        start=start,
        writer=missing,  # type: ignore[arg-type]
    )


def test_a_request_without_a_conversation_is_copied() -> None:
    body = {"messages": HI, "temperature": 0.5, "stop": ["END"], "seed": 7, "orphan_s": 3, "max_tokens": 50}
    spec = build_spec(body)
    reference = decode_reference(spec.reference)
    assert reference is not None
    assert reference.chain == (("openai", "gpt-4.1"),)
    assert reference.messages == spec.request.messages
    for field in ("max_tokens", "temperature", "stop", "seed", "effort", "parameters"):
        assert getattr(reference, field) == getattr(spec.request, field)
    assert (reference.orphan_s, reference.is_counted, reference.turn) == (3, False, None)


def test_of_a_caller_without_an_owner_nothing_is_kept() -> None:
    assert build_spec({"query": "Hi"}, user(None)).reference == b""


def test_a_request_that_is_too_large_is_not_kept() -> None:
    fitting = build_spec({"query": "x" * (MAX_REQUEST_BYTES - 1_000)})
    assert len(fitting.reference) <= MAX_REQUEST_BYTES
    assert decode_reference(fitting.reference) is not None
    assert build_spec({"query": "x" * MAX_REQUEST_BYTES}).reference == b""


def test_a_turn_is_kept_without_its_images_and_messages() -> None:
    turn = plan("Hi", prefix="Hello there")
    reference = decode_reference(encode_reference(user(), REQUEST, CHAIN, 60.0, turn))
    assert reference is not None
    assert reference.turn == msgspec.structs.replace(turn.start, images=[])
    assert (reference.messages, reference.max_tokens) == ((), 9)
    assert reference.prefix_tokens == 3


def test_of_a_turn_that_is_too_large_the_ids_are_kept() -> None:
    raw = encode_reference(user(), REQUEST, CHAIN, 60.0, plan("x" * MAX_REQUEST_BYTES))
    reference = decode_reference(raw)
    assert reference is not None
    assert reference.turn is not None
    assert (reference.turn.question, reference.turn.answer.parent) == (None, "q")


def test_nothing_and_another_version_are_not_read() -> None:
    assert decode_reference(b"") is None
    raw = msgspec.json.decode(build_spec({"query": "Hi"}).reference)
    assert decode_reference(msgspec.json.encode(raw | {"version": VERSION})) is not None
    assert decode_reference(msgspec.json.encode(raw | {"version": VERSION + 1})) is None
