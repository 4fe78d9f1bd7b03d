"""Finds out how the run of a worker that has died goes on: its request is built again from its reference and the store."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import msgspec

from webapp.access.limits import Limiter
from webapp.access.principals import Kind, Principal, key_of
from webapp.api.retrieval import Retrieval
from webapp.api.run_reference import RunReference, decode_reference
from webapp.chat import ModelMessage, ModelRequest, Usage, estimate_tokens
from webapp.conversation import UNTITLED, Message, branch_messages, trim
from webapp.errors import InvalidRequest, Unavailable, restore_error
from webapp.frames import RunResult, Start, done_frame, error_frame
from webapp.runs.lost import LostRun, Recovery, Said, StoredEnd
from webapp.runs.run_spec import RunSpec
from webapp.seams import AnswerWriter, Provider, Providers
from webapp.search.context import put_before_question
from webapp.store.store import Store
from webapp.store.turns import LostTurn
from webapp.store.writes import TurnStart

log_ = logging.getLogger("freshet.runs")

_WHOLE_ONLY = ("response_format", "logprobs")  # what is asked for is worth nothing in an answer of two parts


@dataclass(frozen=True, kw_only=True)
class RunRecovery:
    """Recovers runs; see `lost.Recover`. One instance serves all runs of a worker."""

    providers: Providers
    limiter: Limiter
    store: Store
    retrieval: Retrieval

    def __call__(self, lost: LostRun, epoch: int) -> Recovery:
        """Return how a run goes on or ends. Raises `NotFound` and `InvalidRequest` if its conversation is gone."""
        reference = decode_reference(lost.row.request)
        if lost.row.conversation is not None:
            return self._recover_turn(lost, epoch, reference)
        if reference is None:
            return Recovery()
        return self._recovery(lost, reference, list(reference.messages), None)

    def _recover_turn(self, lost: LostRun, epoch: int, reference: RunReference | None) -> Recovery:
        start = _turn_start(lost, reference)
        turn = self._claim_turn(start, epoch)
        answer = None if turn is None else turn.answer
        sealed = None if turn is None else turn.sealed
        is_stored = answer is not None or reference is None
        if answer is not None and answer.state != "streaming":
            return Recovery(stored=_stored_end(answer, lost.start))
        said = None if answer is None else _said_since(lost, answer)
        if said is not None:
            lost = msgspec.structs.replace(lost, said=said)
        if reference is None or turn is None:
            return Recovery(writer=self.store.writer(start, is_stored=is_stored, sealed=sealed), said=said)
        messages = None
        if is_stored or not start.question or not start.question.images:  # else its images are lost
            messages = self._turn_messages(lost, reference, turn)
        writer = self.store.writer(start, is_stored=is_stored)
        found = self._recovery(lost, reference, messages, writer, sealed)
        found = msgspec.structs.replace(found, said=said)
        if found.spec is not None or sealed is None:
            return found  # a provider that goes on with the answer says whether its reasoning is of use again
        ending = self.store.writer(start, is_stored=is_stored, sealed=sealed)
        return msgspec.structs.replace(found, writer=ending)

    def _claim_turn(self, start: TurnStart, epoch: int) -> LostTurn | None:
        """Return a turn from the store, whose answer belongs to this epoch from then on; None while the store is away.

        Where it cannot be written to, it is only read: its former worker may be frozen with a lock on the answer.
        """
        try:
            return self.store.claim_lost(start, epoch)
        except Unavailable:
            pass
        try:
            return self.store.find_lost(start)
        except Unavailable:
            log_.warning("the conversation of an answer whose worker has died cannot be read")
        return None

    def _turn_messages(
        self, lost: LostRun, reference: RunReference, turn: LostTurn
    ) -> list[ModelMessage] | None:
        """Return the messages of a turn's branch; None if its provider is not configured here."""
        chain = self._resolve(reference)
        if not chain:
            return None
        messages = branch_messages(
            turn.messages, turn.images, accepts_images=self.providers.supports_images(chain[0])
        )
        if turn.system:
            messages.insert(0, ModelMessage.system(turn.system))
        cited = [source for source in lost.said.sources if source.document]
        if cited:
            messages = put_before_question(messages, self.retrieval.quote(cited))
        input_tokens = self.providers.max_input_tokens(chain[0], reference.max_tokens, reference.effort)
        max_bytes = self.limiter.allowance(_caller(lost, reference)).question_bytes
        begun = [ModelMessage.assistant(lost.said.text)] if lost.said.text else []
        trimmed = trim([*messages, *begun], input_tokens, max_bytes)
        return trimmed[: len(trimmed) - len(begun)]

    def _recovery(
        self,
        lost: LostRun,
        reference: RunReference,
        messages: Sequence[ModelMessage] | None,
        writer: AnswerWriter | None,
        sealed: str | None = None,
    ) -> Recovery:
        spec = None
        if lost.may_continue and messages is not None:
            spec = self._make_spec(lost, reference, messages, writer, sealed)
        return Recovery(
            spec=spec,
            writer=writer,
            input_tokens=reference.input_tokens,
            prefix_tokens=reference.prefix_tokens,
        )

    def _make_spec(
        self,
        lost: LostRun,
        reference: RunReference,
        messages: Sequence[ModelMessage],
        writer: AnswerWriter | None,
        sealed: str | None,
    ) -> RunSpec | None:
        """Return the spec of a run that generates the rest; None if that is not possible."""
        chain, row, start = self._resolve(reference), lost.row, lost.start
        is_begun = bool(lost.said.text.strip())
        if not chain or (is_begun and any(map(reference.parameters.get, _WHOLE_ONLY))):
            return None
        caller = _caller(lost, reference)
        return RunSpec(
            run=row.run,
            owner=row.owner,
            key=key_of(row.owner),
            fingerprint=row.fingerprint,
            request=ModelRequest(
                messages=(*messages, ModelMessage.assistant(lost.said.text)) if is_begun else tuple(messages),
                max_tokens=_remaining_tokens(lost, reference),
                temperature=reference.temperature,
                stop=reference.stop,
                seed=reference.seed,
                effort=reference.effort,
                parameters=reference.parameters,
                continues=is_begun,
                sealed=sealed if is_begun else None,
            ),
            chain=chain,
            orphan_s=reference.orphan_s,
            conversation=row.conversation,
            message=start.message,
            question=start.question or None,
            images=start.images or (),
            writer=writer,
            permit=lambda: self.limiter.acquire_again(caller),
            reference=row.request,
        )

    def _resolve(self, reference: RunReference) -> list[Provider]:
        """Return those providers of the chain that are configured here."""
        chain = []
        for name, model in reference.chain:
            try:
                chain.append(self.providers.resolve(name, model)[0])
            except InvalidRequest:
                log_.warning("an answer whose worker has died needs %s, which is not configured here", name)
        return chain


def _turn_start(lost: LostRun, reference: RunReference | None) -> TurnStart:
    """Return what is stored of a turn first, for the conversation's owner of today."""
    row, start = lost.row, lost.start
    owner = row.owner or ""
    if reference is not None and reference.turn is not None:
        return msgspec.structs.replace(reference.turn, owner=owner)
    answer = Message(
        id=start.message or row.run,
        parent=start.question or None,
        role="assistant",
        content=(),
        created_at=round(row.began_at * 1000),
        state="streaming",
    )
    return TurnStart(
        owner=owner,
        conversation=row.conversation or "",
        system=None,
        title=UNTITLED,
        question=None,
        images=(),
        answer=answer,
    )


def _caller(lost: LostRun, reference: RunReference) -> Principal:
    """Return whom the answer counts against; its address is not kept."""
    kind, _, name = (lost.row.owner or "").partition(":")
    return Principal(kind=cast(Kind, kind), name=name, address="", is_counted=reference.is_counted)


def _remaining_tokens(lost: LostRun, reference: RunReference) -> int | None:
    if reference.max_tokens is None:
        return None
    return max(1, reference.max_tokens - estimate_tokens(lost.said.text) + reference.prefix_tokens)


def _said_since(lost: LostRun, answer: Message) -> Said | None:
    """Return what is stored of a running answer if that is more than the journal has, which may have been away; else None.

    A model that is asked anew, because there is no text yet, reasons anew.
    """
    said = lost.said
    if lost.may_continue and not answer.text:
        return None
    is_longer = len(answer.text) + len(answer.reasoning) > len(said.text) + len(said.reasoning)
    if not (is_longer and answer.text.startswith(said.text) and answer.reasoning.startswith(said.reasoning)):
        return None
    return Said(text=answer.text, reasoning=answer.reasoning, sources=answer.sources or said.sources)


def _stored_end(answer: Message, start: Start) -> StoredEnd:
    """Return the end of an answer as its conversation has it."""
    text = answer.text
    result = RunResult(
        state=cast(Literal["done", "failed", "cancelled", "interrupted"], answer.state),
        finish_reason=answer.finish_reason,
        usage=answer.usage or Usage(),
        cost=answer.cost,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        provider=answer.provider or start.provider,
        model=answer.model or start.model,
        error=answer.error,
        stopped_by="user" if answer.state == "cancelled" else None,
        thought_ms=answer.thought_ms,
    )
    if answer.state in ("failed", "interrupted"):
        frame = error_frame(restore_error(answer.error), result, partial=bool(text))
    else:
        frame = done_frame(result)
    said = Said(text=text, reasoning=answer.reasoning, sources=answer.sources)
    return StoredEnd(said=said, ending=(result, frame))
