"""The conversations of whoever asks: listing, searching, reading, changing, deleting and taking that back."""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Blueprint, Response, request, url_for

from webapp.api.start_request import Name, read_json
from webapp.api.stored_conversations import SETTLE_S, current_message, head_body, run_id
from webapp.conversation import plain
from webapp.errors import InvalidRequest, UnsupportedType
from webapp.routes.authentication import named_owner, principal
from webapp.routes.responses import image_response, json_response, stored_response
from webapp.services import services
from webapp.store import conversations, images, shares
from webapp.store.branches import all_of

blueprint = Blueprint("conversations", __name__, url_prefix="/conversations")

PAGE_HEADER = "Freshet-Page"
_LISTED = 50
_MOST_SEARCH_CHARS = 200
_MOST_TITLE_CHARS = 200
_MOST_SYSTEM_CHARS = 100_000


class _Change(msgspec.Struct, frozen=True):
    title: Annotated[str, msgspec.Meta(max_length=_MOST_TITLE_CHARS)] | msgspec.UnsetType = msgspec.UNSET
    system: Annotated[str, msgspec.Meta(max_length=_MOST_SYSTEM_CHARS)] | msgspec.UnsetType | None = (
        msgspec.UNSET
    )
    leaf: Name | msgspec.UnsetType = msgspec.UNSET


class _Sharing(msgspec.Struct, frozen=True):
    leaf: Name | None = None


@blueprint.after_request
def _name_page(response: Response) -> Response:
    """Name the version of the page's files, so that a page from before a deploy learns that there is another."""
    response.headers[PAGE_HEADER] = services().assets.digest
    return response


@blueprint.get("")
def listed() -> Response:
    """List the conversations, the last changed first; `next` is what `after` takes for more."""
    who = named_owner()
    limit = _limit(request.args.get("limit"))
    search = request.args.get("search", "")
    if len(search) > _MOST_SEARCH_CHARS:
        raise InvalidRequest(
            f"search may have {_MOST_SEARCH_CHARS} characters.", param="search", code="too_long"
        )
    after = _place(request.args.get("after"))
    store = services().store
    found = (store.search if search.strip() else store.read)(
        lambda c: conversations.listed(c, who, limit=limit + 1, after=after, search=search)
    )
    more = len(found) > limit
    found = found[:limit]
    runs = services().runs
    told = [{**head_body(head), "run": run_id(runs.running(head.id, who))} for head in found]
    after_last = f"{found[-1].updated_at}:{found[-1].id}" if more else None
    return json_response({"conversations": told, "next": after_last})


@blueprint.get("/<conversation>")
def one(conversation: str) -> Response:
    """Give a conversation with the tree of its messages, and the run that is being made in it."""
    who, parts = named_owner(), services()
    parts.store.saver.settle(conversation, SETTLE_S)
    head, messages, shared_at = parts.store.read(
        lambda c: (
            conversations.find(c, who, conversation),
            all_of(c, who, conversation),
            shares.shared_since(c, who, conversation),
        )
    )
    body = head_body(head) | {
        "run": run_id(parts.runs.running(conversation, who)),
        "shared_at": shared_at,
        "messages": [current_message(message, conversation, parts.runs) for message in messages],
    }
    return stored_response(body)


@blueprint.patch("/<conversation>")
def change(conversation: str) -> Response:
    """Change title, system prompt or leaf; what is not named stays."""
    who = named_owner()
    asked: _Change = read_json(_json_body(), _Change)
    changes: dict[str, str | None] = {
        name: value
        for name in ("title", "system", "leaf")
        if (value := getattr(asked, name)) is not msgspec.UNSET
    }
    if not changes:
        raise InvalidRequest("Nothing is changed: send title, system or leaf.", param="body", code="empty")
    if "title" in changes:
        changes["title"] = plain(changes["title"] or "")
        if not changes["title"]:
            raise InvalidRequest("title is empty.", param="title", code="empty")
    parts, caller = services(), principal()
    parts.store.saver.settle(conversation, SETTLE_S)
    added = sum(len((value or "").encode(errors="replace")) for value in changes.values())
    parts.store.check_room(who, conversation, (), added, parts.limiter.allowance(caller).stored_bytes)
    parts.limiter.store(caller, added)
    head = parts.store.write(lambda c: conversations.change(c, who, conversation, changes))
    parts.store.recall.forget(conversation)
    return json_response(head_body(head))


@blueprint.delete("/<conversation>")
def remove(conversation: str) -> Response:
    """Delete a conversation; for thirty days `restore` takes that back. Its running answer is stopped."""
    who, parts = named_owner(), services()
    parts.store.write(lambda c: conversations.remove(c, who, conversation))
    parts.store.recall.forget(conversation)
    parts.runs.stop_all(conversation, who)
    undo = url_for("conversations.restore", conversation=conversation)
    return json_response({"deleted": conversation, "restore": undo})


@blueprint.post("/<conversation>/restore")
def restore(conversation: str) -> Response:
    """Take a deletion back."""
    who = named_owner()
    head = services().store.write(lambda c: conversations.restore(c, who, conversation))
    return json_response(head_body(head))


@blueprint.post("/<conversation>/share")
def share(conversation: str) -> Response:
    """Make a link that shows one branch to whoever has it; an earlier one ends."""
    who = named_owner()
    asked: _Sharing = read_json(_json_body(), _Sharing) if request.content_length else _Sharing()
    parts, secret = services(), _secret()
    parts.store.saver.settle(conversation, SETTLE_S)
    made = parts.store.write(lambda c: shares.share(c, who, conversation, asked.leaf, secret))
    return json_response(_link_body(made), 201)


@blueprint.get("/<conversation>/share")
def link(conversation: str) -> Response:
    """Tell the link again; `shared_at` is null where there is none."""
    who, secret = named_owner(), _secret()
    found = services().store.read(lambda c: shares.link(c, who, conversation, secret))
    return json_response({"shared_at": None} if found is None else _link_body(found))


@blueprint.delete("/<conversation>/share")
def unshare(conversation: str) -> Response:
    """End the link; idempotent."""
    who = named_owner()
    services().store.write(lambda c: shares.revoke(c, who, conversation))
    return json_response({"shared_at": None})


@blueprint.get("/<conversation>/images/<image>")
def picture(conversation: str, image: str) -> Response:
    """Give an image as it was sent."""
    who = named_owner()
    return image_response(services().store.read(lambda c: images.find(c, who, conversation, image)))


def _secret() -> str:
    return services().secret.get()


def _link_body(link: shares.Link) -> dict[str, object]:
    path = None if link.token is None else url_for("shared.shown", token=link.token)
    return {"shared_at": link.shared_at, "leaf": link.leaf, "token": link.token, "path": path}


def _json_body() -> bytes:
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    return request.get_data()


def _limit(raw: str | None) -> int:
    if raw is None:
        return _LISTED
    if not (raw.isascii() and raw.isdigit()) or not 1 <= int(raw[:9]) <= conversations.MOST_LISTED:
        raise InvalidRequest(
            f"limit must be 1 to {conversations.MOST_LISTED}.", param="limit", code="invalid_type"
        )
    return int(raw)


def _place(raw: str | None) -> conversations.Place | None:
    if raw is None:
        return None
    at, _, name = raw[:60].partition(":")
    if not (at.isascii() and at.isdigit() and len(at) <= 15 and name):
        raise InvalidRequest("after must be what next was.", param="after", code="bad_cursor")
    return int(at), name
