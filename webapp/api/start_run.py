"""Starts a run from a request's body: chooses models, checks limits, loads the conversation's branch, builds a `RunSpec`.

Nothing is sent to a provider before all checks have passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from webapp.access.limits import Limiter
from webapp.access.principals import Principal, require_owner
from webapp.api import fingerprints
from webapp.api.ended_answers import EndedAnswers
from webapp.api.key_profile import apply_profile, with_system
from webapp.api.retrieval import Retrieval, Wanted
from webapp.api.run_reference import encode_reference
from webapp.api.start_request import (
    StartBody,
    check_run_id,
    check_turn,
    is_turn,
    read_messages,
    requested_collections,
    requested_effort,
    requested_tokens,
    stop_sequences,
)
from webapp.api.turn_images import check_images, load_images, read_turn_image
from webapp.chat import ModelMessage, ModelRequest, Source
from webapp.conversation import MAX_REQUEST_IMAGES, Message, branch_messages, trim
from webapp.errors import Conflict, Forbidden, InvalidRequest, NotFound, Unavailable
from webapp.frames import encode, new_run
from webapp.runs.registry import Runs
from webapp.runs.remote_runs import AnyRun, check_same
from webapp.runs.run_spec import RunSpec
from webapp.seams import Provider, Providers
from webapp.search.context import put_before_question
from webapp.store.images import StoredImage
from webapp.store.store import Store
from webapp.store.turns import TurnPlan, TurnRequest, UnknownConversation

_MAX_PROGRAM_IMAGES = 100
_BYTES_PER_TOKEN = 4  # estimates the stored size of an answer
_COSTLY = ("service_tier", "web_search_options", "store")
_FREE = (None, False, "auto", "default", "flex")


@dataclass(frozen=True, kw_only=True)
class RunStarter:
    """Starts runs. One instance serves all requests of a server."""

    providers: Providers
    limiter: Limiter
    runs: Runs
    store: Store
    retrieval: Retrieval
    ended_answers: EndedAnswers
    image_urls: bool

    def start(self, body: StartBody, caller: Principal) -> AnyRun:
        """Start the run of a request, or return it if it exists already.

        With a conversation this waits up to a second for the database; without one it only counts the start. Raises `InvalidRequest`,
        `Forbidden`, `TooLarge`, `TooManyRequests`, `Conflict`, `NotFound`, `NotSignedIn` and `Unavailable`.
        """
        if is_turn(body):
            return self._start_turn(self._decided(body, caller), caller)
        run, _ = self.runs.start(self.build_spec(body, caller))
        return run

    def build_spec(
        self,
        body: StartBody,
        caller: Principal,
        *,
        orphan_s: float | None = None,
        messages: Sequence[ModelMessage] | None = None,
        parameters: Mapping[str, Any] = {},
    ) -> RunSpec:
        """Check a request whose messages are all in it and build its run spec. Raises as `start`.

        `orphan_s` and `messages` override the body's; `parameters` are passed on to the provider.
        """
        check_run_id(body.run)
        if body.images:
            raise InvalidRequest(
                "images needs a conversation: send conversation too, or put the images into messages.",
                param="images",
                code="no_conversation",
            )
        body = self._decided(body, caller)
        if messages is not None and caller.key is not None:
            messages = with_system(messages, caller.key.profile)
        chain = self._resolve_chain(body, caller)
        request = self._model_request(
            body, caller, chain[0], read_messages(body) if messages is None else messages, parameters
        )
        fingerprint = fingerprints.of_messages(body, chain[0], request)
        questions = [message.text for message in request.messages if message.role == "user"]
        sources = self._find_sources(body, caller, chain[0], questions)
        if sources is not None:
            quoted = put_before_question(request.messages, self.retrieval.quote(sources))
            request = msgspec.structs.replace(request, messages=tuple(quoted))
        limit = MAX_REQUEST_IMAGES if caller.kind == "visitor" else _MAX_PROGRAM_IMAGES
        check_images(request.messages, limit, image_urls=self.image_urls)
        field = next(name for name in ("messages", "query", "prompt") if getattr(body, name) is not None)
        self.limiter.check_question(caller, _text_bytes(request.messages) + _json_bytes(parameters), field)
        _check_costs(caller, parameters)
        self.providers.check(chain[0], request)
        capable = self._without_incapable(chain, request)
        idle_s = self._orphan_s(body, caller) if orphan_s is None else orphan_s
        run_id = body.run or new_run()
        return RunSpec(
            run=run_id,
            owner=caller.owner,
            key=caller.key_id,
            fingerprint=fingerprint,
            sources=sources,
            request=request,
            chain=capable,
            orphan_s=idle_s,
            permit=self._make_permit(caller, run_id),
            reference=encode_reference(caller, request, capable, idle_s),
        )

    def _decided(self, body: StartBody, caller: Principal) -> StartBody:
        """Return the body as the caller's key decides it. Raises `Forbidden` for what the caller may not decide."""
        return body if caller.key is None else apply_profile(body, caller.key.profile, self.providers)

    def _start_turn(self, body: StartBody, caller: Principal) -> AnyRun:
        owner = require_owner(caller)
        check_turn(body)
        run_id = body.run or new_run()
        chain = self._resolve_chain(body, caller)
        images = [read_turn_image(f"images[{index}]", url) for index, url in enumerate(body.images or ())]
        fingerprint = fingerprints.of_turn(body, chain[0], images)
        if body.run is not None:
            known = self.runs.find_joinable(run_id, owner, fingerprint)
            if known is not None:
                return known
        self.limiter.check_start(caller)
        new_text_bytes = _bytes_of(body.query) + _bytes_of(body.system)
        self.limiter.check_question(caller, new_text_bytes, "query")
        new_images = [image for image in images if image.content]
        turn = TurnRequest(
            owner=owner,
            run=run_id,
            conversation=body.conversation,
            parent=body.parent,
            at_leaf=bool(body.at_leaf),
            query=body.query if body.query and body.query.strip() else None,
            images=load_images(self.store, images, body.conversation or "", owner),
            continued=body.continue_,
            system=body.system,
        )
        try:
            plan = self.store.plan(turn, self.runs.is_running)
        except Conflict:
            known = self._find_ended(turn, fingerprint)
            if known is None:
                raise
            return known
        except (UnknownConversation, InvalidRequest) as error:
            self._raise_if_being_stored(turn, error)
            raise
        plan = self.ended_answers.complete_plan(plan)
        sources = self._turn_sources(body, plan, caller, chain[0])
        request = self._turn_request(body, plan, caller, chain[0], sources)
        self.providers.check(chain[0], request)
        self._check_storage(caller, owner, plan, request, new_images, new_text_bytes)
        capable, orphan_s = self._without_incapable(chain, request), self._orphan_s(body, caller)
        run, _ = self.runs.start(
            RunSpec(
                run=run_id,
                owner=owner,
                key=caller.key_id,
                fingerprint=fingerprint,
                request=request,
                chain=capable,
                orphan_s=orphan_s,
                conversation=plan.conversation,
                message=run_id,
                question=plan.question,
                images=[image.id for image in images],
                prefix=plan.prefix,
                sources=sources,
                writer=plan.writer,
                permit=self._make_permit(caller, run_id, is_late=plan.is_cached),
                reference=encode_reference(caller, request, capable, orphan_s, plan),
            )
        )
        return run

    def _turn_sources(
        self, body: StartBody, plan: TurnPlan, caller: Principal, provider: Provider
    ) -> Sequence[Source] | None:
        """Return what a turn's answer may cite: an answer that is continued keeps its sources."""
        if body.continue_ is not None:
            return plan.sources or None
        questions = [message.text for message in plan.messages if message.role == "user"]
        conversation = plan.conversation if plan.has_documents else None
        return self._find_sources(body, caller, provider, questions, conversation)

    def _find_sources(
        self,
        body: StartBody,
        caller: Principal,
        provider: Provider,
        questions: Sequence[str],
        conversation: str | None = None,
    ) -> tuple[Source, ...] | None:
        """Return the passages for the last question; None where nothing is to be searched."""
        names = requested_collections(body)
        if body.retrieve is False or not (body.retrieve or names or conversation):
            return None
        self.limiter.check_start(caller)  # a search is work, too
        tokens = self.providers.max_input_tokens(
            provider, self._max_tokens(body, caller, provider), requested_effort(body)
        )
        max_chars = self.limiter.allowance(caller).question_bytes // 4
        wanted = Wanted(
            collections=names,
            all_collections=bool(body.retrieve) and not names,
            conversation=conversation,
            max_chars=max_chars if tokens is None else min(max_chars, 2 * tokens),
        )
        return self.retrieval.find(caller, [each for each in questions if each.strip()], wanted)

    def _find_ended(self, turn: TurnRequest, fingerprint: str) -> AnyRun | None:
        """Return the run of a turn whose answer is stored already; None if the conflict is about another run.

        It was not found before the turn was planned: the journal may have been away, or the run just begun elsewhere. Raises as
        `RunLookup.find`, and `check_same`.
        """
        try:
            run = self.runs.find(turn.run, turn.owner)
        except NotFound:
            return None
        check_same(run, turn.owner, fingerprint)
        return run

    def _raise_if_being_stored(self, turn: TurnRequest, error: UnknownConversation | InvalidRequest) -> None:
        """Raise `Unavailable` where a turn was refused only because the answer that it follows is not stored yet: its run is known."""
        answer = turn.continued or turn.parent
        is_unknown = isinstance(error, UnknownConversation) or error.code == "message_not_found"
        if not (is_unknown and isinstance(answer, str)):
            return
        try:
            run = self.runs.find(answer, turn.owner)
        except NotFound:
            return
        if run.conversation == turn.conversation:
            raise Unavailable(
                "The messages before this one are still being saved. Try again in a moment.",
                code="store_slow",
                retry_after_s=1,
            ) from None

    def _make_permit(
        self, caller: Principal, run: str, *, is_late: bool = False
    ) -> Callable[[], Callable[[], None]]:
        """Return the function that counts a new run, with what the caller has in progress on other workers besides it.

        Its start is counted over all workers here, unless it is known, and so only joined, or `is_late`: the database was waited
        for already. Raises `TooManyRequests`.
        """
        if not caller.is_counted:
            return lambda: self.limiter.acquire(caller)
        if not (is_late or self.runs.has(run)):
            self.limiter.count_start(caller)
        elsewhere = self.runs.count_elsewhere(caller.owner, run)
        return lambda: self.limiter.acquire(caller, elsewhere)

    def _resolve_chain(self, body: StartBody, caller: Principal) -> Sequence[Provider]:
        """Return the requested provider and those of its fallbacks that the caller may use.

        Raises `InvalidRequest` for an unknown provider, and `Forbidden` for a model that the caller may not use.
        """
        chain = self.providers.resolve(body.provider, body.model)
        if self.limiter.allowance(caller).models == "all":
            return chain
        if not self.providers.is_priced(chain[0]):
            raise Forbidden(
                f"{chain[0].model_name} is not available to visitors, because its price is unknown: choose another model.",
                param="model",
                code="model_not_allowed",
            )
        return [provider for provider in chain if self.providers.is_priced(provider)]

    def _without_incapable(self, chain: Sequence[Provider], request: ModelRequest) -> list[Provider]:
        """Return the chain without the fallbacks whose model cannot answer the request, such as one with images."""
        return [chain[0], *(provider for provider in chain[1:] if self._can_answer(provider, request))]

    def _can_answer(self, provider: Provider, request: ModelRequest) -> bool:
        try:
            # A fallback that cannot reason as asked leaves the effort out, with a notice.
            self.providers.check(provider, msgspec.structs.replace(request, effort=None))
        except InvalidRequest:
            return False
        return True

    def _model_request(
        self,
        body: StartBody,
        caller: Principal,
        provider: Provider,
        messages: Sequence[ModelMessage],
        parameters: Mapping[str, Any] = {},
    ) -> ModelRequest:
        return ModelRequest(
            messages=tuple(messages),
            max_tokens=self._max_tokens(body, caller, provider),
            temperature=body.temperature,
            stop=stop_sequences(body),
            seed=body.seed,
            effort=requested_effort(body),
            parameters=parameters,
        )

    def _max_tokens(self, body: StartBody, caller: Principal, provider: Provider) -> int | None:
        """Return the limit of answer tokens, reasoning included; None if the provider's own is within the caller's cap."""
        allowance, effort = self.limiter.allowance(caller), requested_effort(body)
        reasoning_tokens = self.providers.reasoning_tokens(provider, effort)
        cap = allowance.max_tokens + min(allowance.reasoning_tokens, reasoning_tokens)
        requested = requested_tokens(body)
        if requested is not None:
            return min(requested, cap)
        return cap if cap < self.providers.max_answer_tokens(provider, effort) else None

    def _orphan_s(self, body: StartBody, caller: Principal) -> float:
        """Return the seconds without a reader after which the run is stopped: those requested, at most the caller's cap."""
        cap_s = self.limiter.allowance(caller).orphan_s
        return cap_s if body.orphan_s is None else min(body.orphan_s, cap_s)

    def _turn_request(
        self,
        body: StartBody,
        plan: TurnPlan,
        caller: Principal,
        provider: Provider,
        sources: Sequence[Source] | None,
    ) -> ModelRequest:
        """Return the request for a turn: its branch with what was found, trimmed to the model's context window and the caller's limit."""
        supports_images = self.providers.supports_images(provider)
        if not supports_images and _asks_about_images(plan.messages):
            raise InvalidRequest(
                f"{provider.model_name} does not support images: choose another model.",
                param="images",
                code="no_images",
            )
        messages = branch_messages(plan.messages, plan.images, accepts_images=supports_images)
        if plan.system:
            messages.insert(0, ModelMessage.system(plan.system))
        if sources is not None and (body.continue_ is None or any(source.document for source in sources)):
            messages = put_before_question(messages, self.retrieval.quote(sources))
        max_tokens = self._max_tokens(body, caller, provider)
        max_bytes = self.limiter.allowance(caller).question_bytes
        input_tokens = self.providers.max_input_tokens(provider, max_tokens, requested_effort(body))
        messages = trim(messages, input_tokens, max_bytes)
        self.limiter.check_question(caller, _text_bytes(messages), "query")
        request = self._model_request(body, caller, provider, messages)
        is_begun = body.continue_ is not None and bool(plan.prefix.strip())
        if not is_begun:
            return request
        return msgspec.structs.replace(request, continues=True, sealed=plan.sealed)

    def _check_storage(
        self,
        caller: Principal,
        owner: str,
        plan: TurnPlan,
        request: ModelRequest,
        new_images: Sequence[StoredImage],
        new_text_bytes: int,
    ) -> None:
        """Check that a turn fits its owner's quota, and count it and its answer against the caller's address.

        Raises `TooLarge` and `TooManyRequests`.
        """
        allowance = self.limiter.allowance(caller)
        self.store.check_quota(
            owner,
            plan.conversation,
            new_images,
            new_text_bytes,
            allowance.stored_bytes,
            wait=not plan.is_cached,
        )
        answer_bytes = _BYTES_PER_TOKEN * (request.max_tokens or allowance.max_tokens) + _bytes_of(
            plan.prefix
        )
        image_bytes = sum(len(image.content) for image in new_images)
        self.limiter.count_stored_bytes(caller, image_bytes + new_text_bytes + answer_bytes)


def _asks_about_images(messages: Sequence[Message]) -> bool:
    """Return whether the last question of a branch has images."""
    questions = [message for message in messages if message.role == "user"]
    return bool(questions and questions[-1].images)


def _check_costs(caller: Principal, parameters: Mapping[str, Any]) -> None:
    """Refuse a visitor's parameters that have prices of their own or store things. Raises `Forbidden`."""
    for name in _COSTLY if caller.kind != "user" else ():
        if parameters.get(name) not in _FREE:
            raise Forbidden(f"{name} is not available to visitors.", param=name, code="parameter_not_allowed")


def _json_bytes(parameters: Mapping[str, Any]) -> int:
    return len(encode(parameters)) if parameters else 0


def _text_bytes(messages: Iterable[ModelMessage]) -> int:
    """Return the UTF-8 size of the messages' text, without images."""
    return sum(_bytes_of(message.text) for message in messages)


def _bytes_of(text: str | None) -> int:
    return len((text or "").encode(errors="replace"))
