"""A turn of a conversation at the doors that start runs: from what is asked to a run that is kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import msgspec

from webapp.access.principals import Principal
from webapp.chat import ModelMessage, ModelRequest
from webapp.codecs import images
from webapp.conversation import Message, told, trim
from webapp.errors import InvalidRequest
from webapp.frames import encode, is_run, new_run
from webapp.routes.admission import owner_of_stored
from webapp.routes.intake import (
    Asked,
    can,
    chain_for,
    check_run,
    longest,
    make_order,
    orphan_time_s,
    read_data_url,
    stops,
    text_bytes,
)
from webapp.routes.services import Services
from webapp.runs.run import Order, Run
from webapp.seams import Provider
from webapp.store.pictures import Picture
from webapp.store.turns import Plan, Wish

_NAME = re.compile(r"[0-9a-f]{64}")  # the SHA-256 of the bytes
_BYTES_PER_TOKEN = 4  # of an answer, which is stored too
_GO_ON = (
    "Continue your last answer exactly where it stops, in the middle of a word if need be. "
    "Repeat nothing of it, and say nothing about this."
)


def begin(asked: Asked, parts: Services, caller: Principal) -> Run:
    """Start the run that is asked for, or join it. Without a conversation no database is touched.

    Raises what `make_order`, `Runs.start`, `Limiter.start` and `Turns.plan` raise, and what `owner_of_stored` raises
    for a conversation without an owner. With a conversation it takes up to a second.
    """
    if not is_turn(asked):
        run, _ = parts.runs.start(make_order(asked, parts, caller))
        return run
    owner = owner_of_stored(caller)
    _check(asked)
    name = asked.run or new_run()
    chain = chain_for(asked, parts, caller)
    shown = [_image(f"images[{index}]", url) for index, url in enumerate(asked.images or ())]
    print_ = _fingerprint(asked, chain[0], shown)
    known = parts.runs.known(name, owner, print_)
    if known is not None:
        return known
    parts.limiter.check_start(caller)
    new_text = _bytes_of(asked.query) + _bytes_of(asked.system)
    parts.limiter.check_question(caller, new_text, "query")
    new = [image for image in shown if image.content]
    shown = _fetched(shown, asked.conversation or "", parts, owner)
    plan = parts.store.plan(_wish(asked, name, owner, shown), parts.runs.alive)
    request = _request(asked, plan, parts, caller, chain[0])
    parts.catalog.check(chain[0], request)
    _check_storage(parts, caller, plan, request.max_tokens, new, new_text)
    run, _ = parts.runs.start(
        Order(
            run=name,
            owner=owner,
            fingerprint=print_,
            request=request,
            chain=[chain[0], *(link for link in chain[1:] if can(parts.catalog, link, request))],
            orphan_s=orphan_time_s(asked, parts, caller),
            conversation=plan.conversation,
            message=name,
            question=plan.question,
            kept=plan.kept,
            keeper=plan.keeper,
            permit=lambda: parts.limiter.start(caller),
        )
    )
    return run


def _check_storage(
    parts: Services,
    caller: Principal,
    plan: Plan,
    max_tokens: int | None,
    new: Sequence[Picture],
    new_text: int,
) -> None:
    """See that a turn has room in its owner's storage, and count it and its answer against the address.

    Raises `TooLarge` and `TooManyRequests`.
    """
    allowance = parts.limiter.allowance(caller)
    owner = owner_of_stored(caller)
    parts.store.check_room(owner, plan.conversation, new, new_text, allowance.stored_bytes)
    answer_bytes = _BYTES_PER_TOKEN * (max_tokens or allowance.max_tokens) + _bytes_of(plan.kept)
    parts.limiter.store(caller, sum(len(image.content) for image in new) + new_text + answer_bytes)


def _bytes_of(text: str | None) -> int:
    return len((text or "").encode(errors="replace"))


def is_turn(asked: Asked) -> bool:
    """Tell whether what is asked belongs to a conversation."""
    return asked.conversation is not None or asked.continue_ is not None


def _check(asked: Asked) -> None:
    check_run(asked.run)
    if asked.conversation is not None and not is_run(asked.conversation):
        raise InvalidRequest(
            "conversation must be 22 characters of A-Z a-z 0-9 - _",
            param="conversation",
            code="bad_conversation",
        )
    for field in ("messages", "prompt"):
        if getattr(asked, field) is not None:
            raise InvalidRequest(
                f"Send query with a conversation: its messages are known, so {field} is not needed.",
                param=field,
                code="asked_twice",
            )
    asks = asked.query is not None or bool(asked.images)
    if asked.query is not None and not asked.query.strip() and not asked.images:
        raise InvalidRequest("query is empty.", param="query", code="empty")
    if asked.continue_ is not None:
        if asks or asked.parent is not msgspec.UNSET:
            raise InvalidRequest(
                "continue stands alone: send no query, images or parent with it.",
                param="continue",
                code="asked_twice",
            )
    elif not asks and (asked.parent is msgspec.UNSET or asked.parent is None):
        raise InvalidRequest(
            "Nothing is asked: send query, or parent to have a question answered again.",
            param="query",
            code="nothing_asked",
        )


def _fingerprint(asked: Asked, first: Provider, shown: Sequence[Picture]) -> str:
    """Tell two bodies apart by what was asked, never by what it led to: the leaf moves on meanwhile.

    An image is the same by its bytes and by its name.
    """
    parent = ["leaf"] if asked.parent is msgspec.UNSET else ["at", asked.parent]
    body: list[object] = [first.name, first.model_name, asked.conversation, parent, asked.continue_]
    body += [
        asked.query,
        [image.id for image in shown],
        asked.system,
        asked.max_completion_tokens or asked.max_tokens,
    ]
    body += [asked.temperature, stops(asked), asked.seed]
    return hashlib.sha256(encode(["turn", body])).hexdigest()


def _wish(asked: Asked, run: str, owner: str, shown: Sequence[Picture]) -> Wish:
    return Wish(
        owner=owner,
        run=run,
        conversation=asked.conversation,
        parent=asked.parent,
        query=asked.query if asked.query and asked.query.strip() else None,
        images=shown,
        continued=asked.continue_,
        system=asked.system,
    )


def _image(place: str, url: str) -> Picture:
    """Read a data URL, which must hold what it says; or a name, which is filled in later.

    Raises `InvalidRequest` that names the place.
    """
    if _NAME.fullmatch(url):
        return Picture(id=url, media_type="", content=b"")
    media_type, data = read_data_url(place, url)
    return Picture(id=hashlib.sha256(data).hexdigest(), media_type=media_type, content=data)


def _read(place: str, name: str, media_type: str, data: bytes) -> Picture:
    try:
        facts = images.check(data, media_type)
    except images.BadImage as bad:
        raise InvalidRequest(f"{place} {bad.reason}.", param=place, code=bad.code) from None
    return Picture(id=name, media_type=media_type, content=data, width=facts.width, height=facts.height)


def _fetched(shown: Sequence[Picture], conversation: str, parts: Services, owner: str) -> list[Picture]:
    """Fetch the images that were only named: they were shown in this conversation before.

    Raises `InvalidRequest` for another one, and never `NotFound`, which would say that there is no such run.
    """
    named = [image.id for image in shown if not image.content]
    found = parts.store.pictures(owner, conversation, named) if named else {}
    whole: list[Picture] = []
    for index, image in enumerate(shown):
        place = f"images[{index}]"
        kept = image if image.content else found.get(image.id)
        if kept is None:
            raise InvalidRequest(
                f"{place} names no image of this conversation: send it as a data URL.",
                param=place,
                code="image_not_found",
            )
        whole.append(_read(place, kept.id, kept.media_type, kept.content))
    return whole


def _request(asked: Asked, plan: Plan, parts: Services, caller: Principal, first: Provider) -> ModelRequest:
    """Make the request of the branch: as much of it as the model's window and the caller's limit take."""
    sees = parts.catalog.sees(first)
    if not sees and _asks_with_images(plan.messages):
        raise InvalidRequest(
            f"{first.model_name} cannot see images: choose another model.", param="images", code="no_images"
        )
    messages = told(plan.messages, plan.images, sees=sees)
    if asked.continue_ is not None and plan.kept:
        messages.append(ModelMessage.user(_GO_ON))
    if plan.system:
        messages.insert(0, ModelMessage.system(plan.system))
    max_tokens = longest(asked, parts, caller, first)
    most_bytes = parts.limiter.allowance(caller).question_bytes
    messages = trim(messages, parts.catalog.room(first, max_tokens), most_bytes)
    parts.limiter.check_question(caller, text_bytes(messages), "query")
    return ModelRequest(
        messages=tuple(messages),
        max_tokens=max_tokens,
        temperature=asked.temperature,
        stop=stops(asked),
        seed=asked.seed,
    )


def _asks_with_images(messages: Sequence[Message]) -> bool:
    """Tell whether the question that is answered shows something."""
    questions = [message for message in messages if message.role == "user"]
    return bool(questions and questions[-1].images)
