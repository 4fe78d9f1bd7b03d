"""What the chat on other sites asks for before it chats: a token for its visitor, and how its key wants it to look."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from webapp.access.addresses import network_of
from webapp.access.visitor_tokens import LIFETIME_S, RENEWABLE_S, Visitor
from webapp.api.key_bodies import VisitorTokenBody, public_part
from webapp.api.start_request import read_json
from webapp.errors import Forbidden, NotFound, NotSignedIn
from webapp.publishable_keys import PublishableKey, is_token
from webapp.routes.current_principal import current_visit
from webapp.routes.html_pages import PAGE_POLICY, render_page
from webapp.routes.responses import json_response
from webapp.services import services

blueprint = Blueprint("embed", __name__, url_prefix="/embed")


@blueprint.get("")
def frame() -> Response:
    """Show the chat of a key in a frame of its sites."""
    token = request.args.get("key", "")
    found = services().keys.find(token) if is_token(token) else None
    if found is None:
        raise NotFound("The key is unknown, or was revoked.", param="key", code="key_revoked")
    key, _ = found
    policy = PAGE_POLICY | {"frame-ancestors": " ".join(key.origins) or "'none'", "trusted-types": "'none'"}
    response = render_page("embed.html", 200, policy=policy, key=token, origins=list(key.origins))
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.post("/visitor-token")
def visitor_token() -> Response:
    """Return a token for a visitor of the site that asks, a new one or the one whose token is to be renewed."""
    body: VisitorTokenBody = read_json(request.get_data(), VisitorTokenBody)
    parts, visit = services(), current_visit()
    found = parts.keys.find(body.key) if is_token(body.key) else None
    if found is None:
        raise NotSignedIn("The key is unknown, or was revoked.", param="key", code="key_revoked")
    key, value = found
    origin = (visit.origin or "").lower()
    if not (origin and (key.admits(origin) or parts.gate.is_own(origin, visit))):
        raise Forbidden(
            f"The key does not list {origin[:200] or 'a program without an Origin'}.",
            param="origin",
            code="origin",
        )
    visitor = None if body.token is None else _known_visitor(body.token, key, origin)
    if key.profile.signed_only and not (visitor and visitor.is_signed):
        raise NotSignedIn("Sign in at the site first.", code="sign_in_at_site")
    answer: dict[str, object] = {"profile": public_part(key.profile), "expires_s": LIFETIME_S}
    if visitor is None:
        parts.limiter.count_visitor(network_of(visit.client))
    if visitor is not None and visitor.is_signed:
        answer["expires_s"] = max(0, round(visitor.expires_at - time.time()))
    else:
        answer["token"] = parts.visitor_tokens.issue(
            key, value, origin, None if visitor is None else visitor.subject
        )
    return json_response(answer)


def _known_visitor(token: str, key: PublishableKey, origin: str) -> Visitor:
    """Return the visitor of a token of this key and site. Raises `NotSignedIn` for a wrong or expired one, `Forbidden` for another's."""
    visitor = services().visitor_tokens.verify(token, expired_for_s=RENEWABLE_S)
    if visitor.key.id != key.id or visitor.origin != origin:
        raise Forbidden("The token was issued for another site.", param="token", code="token_origin")
    return visitor
