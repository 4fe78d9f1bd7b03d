"""The caller's conversations: list, search, read, change, delete, restore and share them."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, request, url_for

from webapp.api.conversation_bodies import ConversationChange, ShareBody
from webapp.api.start_request import read_json
from webapp.api.stored_conversations import SETTLE_S, conversation_body
from webapp.conversation import to_one_line
from webapp.errors import InvalidRequest, UnsupportedType
from webapp.routes.current_principal import current_principal, require_current_owner
from webapp.routes.responses import image_response, json_response, stored_response
from webapp.services import services
from webapp.store import conversations, documents, images, shares
from webapp.store.branches import load_messages
from webapp.store.change_feeds import FeedCursor
from webapp.store.changes import read_counter
from webapp.store.snippets import list_with_snippets

blueprint = Blueprint("conversations", __name__, url_prefix="/conversations")

PAGE_HEADER = "Freshet-Page"
_DEFAULT_LIMIT = 50
_MAX_SEARCH_CHARS = 200


@blueprint.after_request
def _add_page_version(response: Response) -> Response:
    """Add the version of the page's files, so that a page opened before a deploy learns of the new one."""
    response.headers[PAGE_HEADER] = services().assets.digest
    return response


@blueprint.get("")
def list_conversations() -> Response:
    """List the conversations, the last changed first; a client sends `next` as `after` for the next page.

    `cursor` is the place in the feed of changes from which a client can keep the list current.
    """
    owner = require_current_owner()
    limit = _parse_limit(request.args.get("limit"))
    search = request.args.get("search", "")
    if len(search) > _MAX_SEARCH_CHARS:
        raise InvalidRequest(
            f"search may have at most {_MAX_SEARCH_CHARS} characters.", param="search", code="too_long"
        )
    after = _parse_cursor(request.args.get("after"))
    store = services().store

    counter, (found, snippets) = (store.search if search.strip() else store.read)(
        lambda c: (
            read_counter(
                c, owner
            ),  # first: what changes in between is in the list and comes again in the feed
            list_with_snippets(c, owner, limit=limit, after=after, search=search),
        )
    )
    has_more = len(found) > limit
    heads = found[:limit]
    running = services().runs.list_running(owner)
    bodies = [
        {
            **conversation_body(head),
            "run": running.get(head.id),
            **({"match": snippets[head.id]} if head.id in snippets else {}),
        }
        for head in heads
    ]
    next_cursor = f"{heads[-1].updated_at}:{heads[-1].id}" if has_more else None
    cursor = FeedCursor(counter.tag, counter.last).encode()
    return json_response({"conversations": bodies, "next": next_cursor, "cursor": cursor})


@blueprint.get("/<conversation>")
def read_conversation(conversation: str) -> Response:
    """Return a conversation with the tree of its messages, its documents, and the id of its current run."""
    owner, parts = require_current_owner(), services()
    parts.store.saver.settle(conversation, SETTLE_S)
    head, messages, shared_at, attached = parts.store.read(
        lambda c: (
            conversations.find(c, owner, conversation),
            load_messages(c, owner, conversation),
            shares.find_shared_at(c, owner, conversation),
            documents.list_documents(c, conversation=conversation),
        )
    )
    body = conversation_body(head) | {
        "run": parts.runs.find_running(conversation, owner),
        "shared_at": shared_at,
        "documents": attached,
        "messages": [parts.ended_answers.complete(message, conversation) for message in messages],
    }
    return stored_response(body)


@blueprint.patch("/<conversation>")
def change_conversation(conversation: str) -> Response:
    """Change the title, system prompt or leaf; absent fields are not changed."""
    owner = require_current_owner()
    body: ConversationChange = read_json(_json_body(), ConversationChange)
    changes: dict[str, str | None] = {
        name: value
        for name in ("title", "system", "leaf")
        if (value := getattr(body, name)) is not msgspec.UNSET
    }
    if not changes:
        raise InvalidRequest("Nothing to change: send title, system or leaf.", param="body", code="empty")
    if "title" in changes:
        changes["title"] = to_one_line(changes["title"] or "")
        if not changes["title"]:
            raise InvalidRequest("title is empty.", param="title", code="empty")
    parts, caller = services(), current_principal()
    parts.store.saver.settle(conversation, SETTLE_S)
    added = sum(len((value or "").encode(errors="replace")) for value in changes.values())
    parts.store.check_quota(owner, conversation, (), added, parts.limiter.allowance(caller).stored_bytes)
    parts.limiter.count_stored_bytes(caller, added)
    head = parts.store.write(lambda c: conversations.change(c, owner, conversation, changes))
    parts.store.cache.forget(conversation)
    return json_response(conversation_body(head))


@blueprint.delete("/<conversation>")
def delete_conversation(conversation: str) -> Response:
    """Delete a conversation and stop its runs; it can be restored for thirty days."""
    owner, parts = require_current_owner(), services()
    parts.store.write(lambda c: conversations.remove(c, owner, conversation))
    parts.store.cache.forget(conversation)
    parts.runs.stop_all(conversation, owner)
    restore_path = url_for("conversations.restore_conversation", conversation=conversation)
    return json_response({"deleted": conversation, "restore": restore_path})


@blueprint.post("/<conversation>/restore")
def restore_conversation(conversation: str) -> Response:
    """Restore a deleted conversation."""
    owner = require_current_owner()
    head = services().store.write(lambda c: conversations.restore(c, owner, conversation))
    return json_response(conversation_body(head))


@blueprint.post("/<conversation>/share")
def create_share(conversation: str) -> Response:
    """Create a link that shows one branch; it replaces an earlier link."""
    owner = require_current_owner()
    body: ShareBody = read_json(_json_body(), ShareBody) if request.get_data() else ShareBody()
    parts, secret = services(), _secret()
    parts.store.saver.settle(conversation, SETTLE_S)
    link = parts.store.write(lambda c: shares.create_link(c, owner, conversation, body.leaf, secret))
    return json_response(_link_body(link), 201)


@blueprint.get("/<conversation>/share")
def read_share(conversation: str) -> Response:
    """Return the link; `shared_at` is null if there is none."""
    owner, secret = require_current_owner(), _secret()
    link = services().store.read(lambda c: shares.find_link(c, owner, conversation, secret))
    return json_response({"shared_at": None} if link is None else _link_body(link))


@blueprint.delete("/<conversation>/share")
def revoke_share(conversation: str) -> Response:
    """Revoke the link; idempotent."""
    owner = require_current_owner()
    services().store.write(lambda c: shares.remove_link(c, owner, conversation))
    return json_response({"shared_at": None})


@blueprint.get("/<conversation>/images/<image>")
def read_image(conversation: str, image: str) -> Response:
    """Return an image as it was uploaded."""
    owner, parts = require_current_owner(), services()
    parts.store.saver.settle(conversation, SETTLE_S)  # the start frame names images before they are saved
    return image_response(parts.store.read(lambda c: images.find(c, owner, conversation, image)))


def _secret() -> str:
    return services().secret.get()


def _link_body(link: shares.ShareLink) -> dict[str, object]:
    path = None if link.token is None else url_for("shared.read_branch", token=link.token)
    return {"shared_at": link.shared_at, "leaf": link.leaf, "token": link.token, "path": path}


def _json_body() -> bytes:
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    return request.get_data()


def _parse_limit(raw: str | None) -> int:
    if raw is None:
        return _DEFAULT_LIMIT
    if not (raw.isascii() and raw.isdigit()) or not 1 <= int(raw[:9]) <= conversations.MAX_LISTED:
        raise InvalidRequest(
            f"limit must be a number from 1 to {conversations.MAX_LISTED}.",
            param="limit",
            code="invalid_type",
        )
    return int(raw)


def _parse_cursor(raw: str | None) -> conversations.PageKey | None:
    if raw is None:
        return None
    updated_at, _, conversation = raw[:60].partition(":")
    if not (updated_at.isascii() and updated_at.isdigit() and len(updated_at) <= 15 and conversation):
        raise InvalidRequest(
            "after must be the value of next in an earlier response.", param="after", code="bad_cursor"
        )
    return int(updated_at), conversation
