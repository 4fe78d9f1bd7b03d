"""What becomes of a run whose worker has died: its request is built again from its reference and the store."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.unit.starting import HI, RUN, STARTER, build_spec, run_starter, user
from tests.unit.test_run_reference import CHAIN, REQUEST, plan
from tests.unit.test_run_storage import MemoryWriter
from webapp.access.principals import Principal
from webapp.api.retrieval import Retrieval
from webapp.api.run_recovery import RunRecovery
from webapp.api.run_reference import encode_reference
from webapp.api.start_run import RunStarter
from webapp.chat import ModelMessage, TextPart, Usage
from webapp.conversation import ImageRef, Message
from webapp.errors import Unavailable
from webapp.events import Source
from webapp.frames import Start
from webapp.journal_records import JournalRun
from webapp.runs.lost import LostRun, Recovery, Said
from webapp.store.turns import LostTurn
from webapp.store.writes import TurnStart

QUESTION = Message(id="q", parent="p", role="user", content=(TextPart("Why?"),), created_at=1)
EARLIER = (
    Message(id="o", parent=None, role="user", content=(TextPart("One?"),), created_at=1),
    Message(id="p", parent="o", role="assistant", content=(TextPart("One."),), created_at=1),
)


class FoundStore:
    """A store that has one turn; `turns` are found one after the other, an exception is raised."""

    def __init__(self, *turns: LostTurn | Exception) -> None:
        self._turns = list(turns)
        self.asked: list[TurnStart] = []
        self.writers: list[tuple[TurnStart, bool]] = []
        self.sealed: dict[object, str | None] = {}  # by writer

    def claim_lost(self, start: TurnStart, epoch: int) -> LostTurn:
        assert epoch == 2
        return self.find_lost(start)

    def find_lost(self, start: TurnStart) -> LostTurn:
        self.asked.append(start)
        found = self._turns.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def writer(self, start: TurnStart, *, is_stored: bool, sealed: str | None = None) -> MemoryWriter:
        self.writers.append((start, is_stored))
        writer = MemoryWriter()
        self.sealed[writer] = sealed
        return writer


def answer(state: str = "streaming", text: str = "", **fields: Any) -> Message:
    content = (TextPart(text),) if text else ()
    return Message(
        id=RUN,
        parent="q",
        role="assistant",
        content=content,
        created_at=2,
        state=state,  # type: ignore[arg-type]
        **fields,
    )


def turn(stored: Message | None = None, messages: Sequence[Message] = (*EARLIER, QUESTION)) -> LostTurn:
    return LostTurn(answer=stored, system="Be brief.", messages=messages, images={})


def lost(
    request: bytes,
    text: str = "Hel",
    *,
    conversation: str | None = None,
    owner: str = "user:owner",
    may_continue: bool = True,
) -> LostRun:
    row = JournalRun(
        run=RUN,
        owner=owner,
        fingerprint="print",
        conversation=conversation,
        start=b"",
        request=request,
        worker="a",
        epoch=1,
        last_seq=3,
        state="running",
        takeovers=0,
        stop=None,
        read_at=0.0,
        began_at=7.0,
        ended_at=None,
        temporary=False,
    )
    message = None if conversation is None else RUN
    start = Start(
        run=RUN, provider="openai", model="gpt-4.1", conversation=conversation, message=message, question="q"
    )
    return LostRun(row=row, start=start, said=Said(text=text), age_s=1.0, may_continue=may_continue)


def recover(run: LostRun, store: FoundStore | None = None, starter: RunStarter = STARTER) -> Recovery:
    found: Any = store or FoundStore()
    return RunRecovery(
        providers=starter.providers,
        limiter=starter.limiter,
        store=found,
        retrieval=Retrieval(store=found, searches=[]),
    )(run, run.row.epoch + 1)


def turn_reference(
    caller: Principal | None = None, prefix: str = "", question: Message | None = QUESTION
) -> bytes:
    made = plan("Why?", prefix)
    start = msgspec.structs.replace(made.start, question=question, answer=answer())
    return encode_reference(
        caller or user(), REQUEST, CHAIN, 60.0, msgspec.structs.replace(made, start=start)
    )


# Without a conversation.


def test_a_request_is_continued_with_what_was_said() -> None:
    body = {"messages": HI, "temperature": 0.5, "stop": ["END"], "seed": 7, "max_tokens": 50, "orphan_s": 3}
    spec = recover(lost(build_spec(body).reference)).spec
    assert spec is not None
    request = spec.request
    assert request.continues
    assert list(request.messages) == [ModelMessage.user("Hi"), ModelMessage.assistant("Hel")]
    assert (request.temperature, request.stop, request.seed) == (0.5, ("END",), 7)
    assert request.max_tokens == 49
    assert (spec.run, spec.owner, spec.fingerprint, spec.orphan_s) == (RUN, "user:owner", "print", 3)
    assert [(one.name, one.model_name) for one in spec.chain] == [("openai", "gpt-4.1")]
    assert (spec.writer, spec.message) == (None, None)


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_request_without_an_answer_is_made_again(text: str) -> None:
    spec = recover(lost(build_spec({"messages": HI}).reference, text)).spec
    assert spec is not None
    assert not spec.request.continues
    assert list(spec.request.messages) == [ModelMessage.user("Hi")]


def test_an_answer_at_its_limit_may_have_one_token_more() -> None:
    spec = recover(lost(build_spec({"messages": HI, "max_tokens": 2}).reference, "word " * 9)).spec
    assert spec is not None
    assert spec.request.max_tokens == 1


def test_without_a_reference_nothing_is_continued() -> None:
    assert recover(lost(b"")) == Recovery()


@pytest.mark.parametrize("parameters", [{"response_format": {"type": "json_object"}}, {"logprobs": True}])
def test_what_must_be_whole_is_not_continued_but_begun_anew(parameters: dict[str, Any]) -> None:
    request = msgspec.structs.replace(REQUEST, parameters=parameters)
    reference = encode_reference(user(), request, CHAIN, 60.0)
    assert recover(lost(reference)).spec is None
    assert recover(lost(reference, "")).spec is not None


def test_only_providers_that_are_configured_here_are_asked() -> None:
    reference = json.loads(build_spec({"messages": HI}).reference)
    chain = [["anthropic", "claude"], ["ollama", "llama3"]]
    spec = recover(lost(json.dumps(reference | {"chain": chain}).encode())).spec
    assert spec is not None
    assert [one.name for one in spec.chain] == ["ollama"]
    assert recover(lost(json.dumps(reference | {"chain": chain[:1]}).encode())).spec is None


def test_a_continued_answer_counts_against_its_caller_whatever_the_limits() -> None:
    starter = run_starter(FRESHET_VISITOR_ANSWERS="1")
    caller = Principal(kind="visitor", name="v", address="127.0.0.1")
    reference = encode_reference(caller, REQUEST, CHAIN, 60.0)
    release = starter.limiter.acquire(caller)
    spec = recover(lost(reference, owner="visitor:v"), starter=starter).spec
    assert spec is not None
    assert spec.permit is not None
    again = spec.permit()
    release()
    with pytest.raises(Exception, match="at once"):
        starter.limiter.check_start(caller)
    again()
    starter.limiter.check_start(caller)


# Turns of a conversation.


def test_what_only_the_conversation_has_of_a_running_answer_is_continued() -> None:
    """The journal was away while the worker stored more, and then it died."""
    stored = answer(text="Hello", reasoning="Hm.")
    found = recover(lost(turn_reference(), conversation="c"), FoundStore(turn(stored)))
    assert found.said == Said(text="Hello", reasoning="Hm.")
    assert found.spec is not None
    assert found.spec.request.messages[-1] == ModelMessage.assistant("Hello")


@pytest.mark.parametrize("text", ["", "He", "Hel", "Other text"])
def test_what_the_journal_has_counts_unless_the_conversation_has_more(text: str) -> None:
    found = recover(lost(turn_reference(), conversation="c"), FoundStore(turn(answer(text=text))))
    assert found.said is None
    assert found.spec is not None
    assert found.spec.request.messages[-1] == ModelMessage.assistant("Hel")


@pytest.mark.parametrize("may_continue", [True, False])
def test_stored_reasoning_without_text_is_kept_only_by_an_answer_that_ends(may_continue: bool) -> None:
    store = FoundStore(turn(answer(reasoning="Hm.")))
    found = recover(lost(turn_reference(), "", conversation="c", may_continue=may_continue), store)
    assert found.said == (None if may_continue else Said(reasoning="Hm."))


def test_a_turn_is_loaded_from_the_store() -> None:
    store = FoundStore(turn(answer()))
    found = recover(lost(turn_reference(prefix="He"), conversation="c", owner="user:new"), store)
    assert found.spec is not None
    assert [(one.role, one.text) for one in found.spec.request.messages] == [
        ("system", "Be brief."),
        ("user", "One?"),
        ("assistant", "One."),
        ("user", "Why?"),
        ("assistant", "Hel"),
    ]
    assert (found.spec.conversation, found.spec.message, found.spec.question) == ("c", RUN, "q")
    assert found.spec.writer is found.writer
    assert (store.writers[0][0].owner, store.writers[0][1]) == ("user:new", True)
    assert (found.prefix_tokens, found.spec.request.max_tokens) == (1, 9)


def test_a_turn_that_is_not_stored_yet_is_stored_first() -> None:
    store = FoundStore(turn())
    assert recover(lost(turn_reference(), conversation="c"), store).spec is not None
    assert [is_stored for _, is_stored in store.writers] == [False]


def test_a_turn_whose_images_were_never_stored_is_not_continued() -> None:
    image = ImageRef(image="i", media_type="image/png")
    question = msgspec.structs.replace(QUESTION, content=(TextPart("This?"), image))
    reference = turn_reference(question=question)
    for stored, is_continued in ((None, False), (answer(), True)):
        store = FoundStore(turn(stored, (*EARLIER, question)))
        found = recover(lost(reference, conversation="c"), store)
        assert (found.spec is not None, found.writer is not None) == (is_continued, True)


def test_a_long_branch_is_cut_as_at_the_start() -> None:
    starter = run_starter(FRESHET_USER_QUESTION_BYTES="2000")
    long = msgspec.structs.replace(EARLIER[0], content=(TextPart("x" * 3_000),))
    store = FoundStore(turn(answer(), (long, EARLIER[1], QUESTION)))
    found = recover(lost(turn_reference(), conversation="c"), store, starter)
    assert found.spec is not None
    assert [one.text for one in found.spec.request.messages] == ["Be brief.", "Why?", "Hel"]


def test_sealed_reasoning_goes_to_the_provider_or_stays_with_an_answer_that_ends() -> None:
    found_turn = msgspec.structs.replace(turn(answer()), sealed="s3cret")
    store = FoundStore(found_turn, found_turn, found_turn)
    found = recover(lost(turn_reference(prefix="He"), conversation="c"), store)
    assert found.spec is not None
    assert (found.spec.request.sealed, store.sealed[found.writer]) == ("s3cret", None)
    for raw, may_continue in ((turn_reference(), False), (b"", True)):
        found = recover(lost(raw, conversation="c", may_continue=may_continue), store)
        assert (found.spec, store.sealed[found.writer]) == (None, "s3cret")


def test_a_turn_that_is_only_to_end_is_stored() -> None:
    found = recover(lost(turn_reference(), conversation="c", may_continue=False), FoundStore(turn(answer())))
    assert (found.spec, found.writer is not None) == (None, True)
    assert found.input_tokens > 0


def test_a_turn_of_which_only_its_ids_are_known_ends() -> None:
    store = FoundStore(turn(answer()))
    found = recover(lost(b"", conversation="c"), store)
    assert (found.spec, found.writer is not None) == (None, True)
    start, is_stored = store.writers[0]
    assert (start.owner, start.conversation, start.question, is_stored) == ("user:owner", "c", None, True)
    assert (start.answer.id, start.answer.parent, start.answer.created_at) == (RUN, "q", 7_000)


def test_while_the_store_is_away_a_turn_ends_and_is_stored_later() -> None:
    store = FoundStore(Unavailable("away"), Unavailable("away"))
    found = recover(lost(turn_reference(), conversation="c"), store)
    assert (found.spec, found.writer is not None, len(store.asked)) == (None, True, 2)


def test_a_store_that_comes_back_is_asked_again() -> None:
    store = FoundStore(Unavailable("away"), turn(answer()))
    assert recover(lost(turn_reference(), conversation="c"), store).spec is not None


@pytest.mark.parametrize("state", ["done", "cancelled"])
def test_an_answer_that_has_ended_in_its_conversation_is_not_generated_again(state: str) -> None:
    source = Source(n=1, title="A page")
    stored = answer(
        state,
        "Hello",
        reasoning="Hm.",
        usage=Usage(3, 5),
        provider="openai",
        model="gpt-4.1-x",
        finish_reason="stop" if state == "done" else "cancelled",
        sources=(source,),
    )
    found = recover(lost(turn_reference(), conversation="c"), FoundStore(turn(stored)))
    assert found.spec is None
    assert found.stored is not None
    assert found.stored.said == Said(text="Hello", reasoning="Hm.", sources=(source,))
    result, frame = found.stored.ending
    assert (result.state, result.usage, result.model) == (state, Usage(3, 5), "gpt-4.1-x")
    body = json.loads(frame.payload)
    assert frame.terminal
    assert body["done"] is True
    assert body.get("by") == ("user" if state == "cancelled" else None)


@pytest.mark.parametrize(
    ("error", "code", "param"),
    [
        ("upstream_quota", "upstream_quota", None),
        ("model_not_found", "upstream_bad_request", "model"),
        ("something of a newer version", "interrupted", None),
    ],
)
def test_a_failure_that_is_stored_is_told_again(error: str, code: str, param: str | None) -> None:
    stored = answer("failed", "Hel", error=error)
    found = recover(lost(turn_reference(), conversation="c"), FoundStore(turn(stored)))
    assert found.stored is not None
    body = json.loads(found.stored.ending[1].payload)
    assert (body["code"], body.get("param"), body["partial"]) == (code, param, True)
