"""From the body of a request to a run that has started: models, limits, the branch of the conversation, one `Order`.

Nothing reaches a provider before all of it is checked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from webapp.access.limits import Limiter
from webapp.access.principals import Principal, require_owner
from webapp.api import image_upload
from webapp.api.start_request import (
    StartBody,
    check_run,
    check_turn,
    is_turn,
    messages_of,
    stop_sequences,
    wanted_tokens,
)
from webapp.chat import ImagePart, ModelMessage, ModelRequest
from webapp.conversation import MOST_IMAGES_TOLD, Message, branch_messages, trim
from webapp.errors import Forbidden, InvalidRequest
from webapp.frames import encode, new_run
from webapp.runs.registry import Runs
from webapp.runs.run import Order, Run
from webapp.seams import Provider, Providers
from webapp.store.images import StoredImage
from webapp.store.store import Store
from webapp.store.turns import TurnPlan, TurnRequest

_MAX_IMAGES_OF_PROGRAMS = 100
_SHA256 = re.compile(r"[0-9a-f]{64}")  # the id of a stored image
_BYTES_PER_TOKEN = 4  # of an answer, which is stored too
_CONTINUE = (
    "Continue your last answer exactly where it stops, in the middle of a word if need be. "
    "Repeat nothing of it, and say nothing about this."
)


@dataclass(frozen=True, kw_only=True)
class RunStarter:
    """Starts runs. One object serves all requests of a server."""

    providers: Providers
    limiter: Limiter
    runs: Runs
    store: Store
    image_urls: bool

    def start(self, body: StartBody, caller: Principal) -> Run:
        """Start the run that a request asks for, or join it if it runs already.

        With a conversation it takes up to a second; without one no database is used. Raises `InvalidRequest`,
        `Forbidden`, `TooLarge`, `TooManyRequests`, `Conflict`, `NotFound`, `NotSignedIn` and `Unavailable`.
        """
        if is_turn(body):
            return self._start_turn(body, caller)
        return self.start_without_conversation(body, caller)

    def start_without_conversation(
        self, body: StartBody, caller: Principal, *, orphan_s: float | None = None
    ) -> Run:
        """Start or join a run whose messages all stand in the request; `orphan_s` overrides the request's."""
        run, _ = self.runs.start(self.order(body, caller, orphan_s=orphan_s))
        return run

    def order(self, body: StartBody, caller: Principal, *, orphan_s: float | None = None) -> Order:
        """Check a request without a conversation and return its order. Raises as `start`."""
        check_run(body.run)
        if body.images:
            raise InvalidRequest("images go with a conversation.", param="images", code="no_conversation")
        chain = self._chain(body, caller)
        request = self._model_request(body, caller, chain[0], messages_of(body))
        self._check_images(request.messages, caller)
        field = next(name for name in ("messages", "query", "prompt") if getattr(body, name) is not None)
        self.limiter.check_question(caller, _text_bytes(request.messages), field)
        self.providers.check(chain[0], request)
        fingerprint = hashlib.sha256(encode([chain[0].name, chain[0].model_name, request])).hexdigest()
        return Order(
            run=body.run or new_run(),
            owner=caller.owner,
            fingerprint=fingerprint,
            request=request,
            chain=self._able(chain, request),
            orphan_s=self._orphan_s(body, caller) if orphan_s is None else orphan_s,
            permit=lambda: self.limiter.start(caller),
        )

    def _start_turn(self, body: StartBody, caller: Principal) -> Run:
        owner = require_owner(caller)
        check_turn(body)
        run_id = body.run or new_run()
        chain = self._chain(body, caller)
        images = [_turn_image(f"images[{index}]", url) for index, url in enumerate(body.images or ())]
        fingerprint = _fingerprint(body, chain[0], images)
        known = self.runs.known(run_id, owner, fingerprint)
        if known is not None:
            return known
        self.limiter.check_start(caller)
        new_text_bytes = _bytes_of(body.query) + _bytes_of(body.system)
        self.limiter.check_question(caller, new_text_bytes, "query")
        new_images = [image for image in images if image.content]
        plan = self.store.plan(
            TurnRequest(
                owner=owner,
                run=run_id,
                conversation=body.conversation,
                parent=body.parent,
                query=body.query if body.query and body.query.strip() else None,
                images=self._with_stored(images, body.conversation or "", owner),
                continued=body.continue_,
                system=body.system,
            ),
            self.runs.alive,
        )
        request = self._turn_request(body, plan, caller, chain[0])
        self.providers.check(chain[0], request)
        self._check_storage(caller, owner, plan, request, new_images, new_text_bytes)
        run, _ = self.runs.start(
            Order(
                run=run_id,
                owner=owner,
                fingerprint=fingerprint,
                request=request,
                chain=self._able(chain, request),
                orphan_s=self._orphan_s(body, caller),
                conversation=plan.conversation,
                message=run_id,
                question=plan.question,
                prefix=plan.kept,
                writer=plan.keeper,
                permit=lambda: self.limiter.start(caller),
            )
        )
        return run

    def _chain(self, body: StartBody, caller: Principal) -> Sequence[Provider]:
        """Return the provider that is asked for and its fallbacks, as far as the caller may use them.

        Raises `InvalidRequest` for an unknown one, and `Forbidden` for a model that the caller may not use.
        """
        chain = self.providers.resolve(body.provider, body.model)
        if self.limiter.allowance(caller).models == "all":
            return chain
        if not self.providers.is_priced(chain[0]):
            raise Forbidden(
                f"{chain[0].model_name} is not available to visitors: its price is not known.",
                param="model",
                code="model_not_allowed",
            )
        return [provider for provider in chain if self.providers.is_priced(provider)]

    def _able(self, chain: Sequence[Provider], request: ModelRequest) -> list[Provider]:
        """Return the chain without those fallbacks whose model cannot do what is asked."""
        return [chain[0], *(provider for provider in chain[1:] if self._can(provider, request))]

    def _can(self, provider: Provider, request: ModelRequest) -> bool:
        try:
            self.providers.check(provider, request)
        except InvalidRequest:
            return False
        return True

    def _model_request(
        self, body: StartBody, caller: Principal, provider: Provider, messages: Sequence[ModelMessage]
    ) -> ModelRequest:
        return ModelRequest(
            messages=tuple(messages),
            max_tokens=self._max_tokens(body, caller, provider),
            temperature=body.temperature,
            stop=stop_sequences(body),
            seed=body.seed,
        )

    def _max_tokens(self, body: StartBody, caller: Principal, provider: Provider) -> int | None:
        """Return how many tokens the answer may have; None where the provider's own setting is within the cap."""
        cap = self.limiter.allowance(caller).max_tokens
        wanted = wanted_tokens(body)
        if wanted is not None:
            return min(wanted, cap)
        return cap if cap < self.providers.longest(provider) else None

    def _orphan_s(self, body: StartBody, caller: Principal) -> float:
        """Return after how many seconds without a reader the answer is stopped."""
        cap_s = self.limiter.allowance(caller).orphan_s
        return cap_s if body.orphan_s is None else min(body.orphan_s, cap_s)

    def _check_images(self, messages: Sequence[ModelMessage], caller: Principal) -> None:
        """Limit the number of images, and refuse their addresses: the provider would fetch them from anywhere."""
        limit = MOST_IMAGES_TOLD if caller.kind == "visitor" else _MAX_IMAGES_OF_PROGRAMS
        count = 0
        for index, message in enumerate(messages):
            for part in message.parts:
                if not isinstance(part, ImagePart):
                    continue
                count += 1
                if part.url and not self.image_urls:
                    raise InvalidRequest(
                        "The addresses of images are not passed on here: send the image itself, as a data URL.",
                        param=f"messages[{index}].content",
                        code="image_url_not_allowed",
                    )
                if count > limit:
                    raise InvalidRequest(
                        f"A request may have {limit} images.",
                        param=f"messages[{index}].content",
                        code="too_many_images",
                    )

    def _turn_request(
        self, body: StartBody, plan: TurnPlan, caller: Principal, provider: Provider
    ) -> ModelRequest:
        """Return the request for a branch: as much of it as the model's window and the caller's limit allow."""
        sees = self.providers.sees(provider)
        if not sees and _has_images(plan.messages):
            raise InvalidRequest(
                f"{provider.model_name} cannot see images: choose another model.",
                param="images",
                code="no_images",
            )
        messages = branch_messages(plan.messages, plan.images, sees=sees)
        if body.continue_ is not None and plan.kept:
            messages.append(ModelMessage.user(_CONTINUE))
        if plan.system:
            messages.insert(0, ModelMessage.system(plan.system))
        max_tokens = self._max_tokens(body, caller, provider)
        max_bytes = self.limiter.allowance(caller).question_bytes
        messages = trim(messages, self.providers.room(provider, max_tokens), max_bytes)
        self.limiter.check_question(caller, _text_bytes(messages), "query")
        return self._model_request(body, caller, provider, messages)

    def _with_stored(self, images: Sequence[StoredImage], conversation: str, owner: str) -> list[StoredImage]:
        """Return checked images; those that were only named are read from the conversation.

        Raises `InvalidRequest` for an unknown one, never `NotFound`, which would mean that there is no such run.
        """
        named = [image.id for image in images if not image.content]
        stored = self.store.pictures(owner, conversation, named) if named else {}
        found: list[StoredImage] = []
        for index, image in enumerate(images):
            place = f"images[{index}]"
            known = image if image.content else stored.get(image.id)
            if known is None:
                raise InvalidRequest(
                    f"{place} names no image of this conversation: send it as a data URL.",
                    param=place,
                    code="image_not_found",
                )
            found.append(_checked_image(place, known))
        return found

    def _check_storage(
        self,
        caller: Principal,
        owner: str,
        plan: TurnPlan,
        request: ModelRequest,
        new_images: Sequence[StoredImage],
        new_text_bytes: int,
    ) -> None:
        """Check that a turn fits into its owner's quota, and count it and its answer against the address.

        Raises `TooLarge` and `TooManyRequests`.
        """
        allowance = self.limiter.allowance(caller)
        self.store.check_room(owner, plan.conversation, new_images, new_text_bytes, allowance.stored_bytes)
        answer_bytes = _BYTES_PER_TOKEN * (request.max_tokens or allowance.max_tokens) + _bytes_of(plan.kept)
        image_bytes = sum(len(image.content) for image in new_images)
        self.limiter.store(caller, image_bytes + new_text_bytes + answer_bytes)


def _fingerprint(body: StartBody, provider: Provider, images: Sequence[StoredImage]) -> str:
    """Return a digest of what was asked, never of what it led to: the leaf moves on meanwhile.

    An image is the same by its bytes and by its id.
    """
    parent = ["leaf"] if body.parent is msgspec.UNSET else ["at", body.parent]
    fields: list[object] = [
        *(provider.name, provider.model_name, body.conversation, parent, body.continue_, body.query),
        *([image.id for image in images], body.system, wanted_tokens(body), body.temperature),
        *(stop_sequences(body), body.seed),
    ]
    return hashlib.sha256(encode(["turn", fields])).hexdigest()


def _turn_image(place: str, url: str) -> StoredImage:
    """Return the image of a data URL; or, for the id of a stored one, an image whose content is read later.

    Raises `InvalidRequest` that names `place`.
    """
    if _SHA256.fullmatch(url):
        return StoredImage(id=url, media_type="", content=b"")
    media_type, content = image_upload.read_data_url(place, url)
    return StoredImage(id=hashlib.sha256(content).hexdigest(), media_type=media_type, content=content)


def _checked_image(place: str, image: StoredImage) -> StoredImage:
    try:
        info = image_upload.check(image.content, image.media_type)
    except image_upload.BadImage as bad:
        raise InvalidRequest(f"{place} {bad.reason}.", param=place, code=bad.code) from None
    return msgspec.structs.replace(image, width=info.width, height=info.height)


def _has_images(messages: Sequence[Message]) -> bool:
    """Return whether the last question of a branch has images."""
    questions = [message for message in messages if message.role == "user"]
    return bool(questions and questions[-1].images)


def _text_bytes(messages: Iterable[ModelMessage]) -> int:
    """Return the size of the messages' text in UTF-8, images apart."""
    return sum(_bytes_of(message.text) for message in messages)


def _bytes_of(text: str | None) -> int:
    return len((text or "").encode(errors="replace"))
