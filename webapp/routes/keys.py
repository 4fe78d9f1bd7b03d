"""The publishable keys, for the operator: list, create, change, rotate and revoke them."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, request

from webapp.access.keys import NewValue
from webapp.access.principals import owner_of
from webapp.api.key_bodies import ChangedKeyBody, NewKeyBody, RotationBody, key_body
from webapp.api.start_request import read_json
from webapp.publishable_keys import read_origins, read_profile
from webapp.routes.current_principal import current_principal
from webapp.routes.responses import json_response
from webapp.services import services

blueprint = Blueprint("keys", __name__, url_prefix="/keys")


@blueprint.get("")
def list_keys() -> Response:
    """List the keys, the oldest first, without their secrets."""
    return json_response({"keys": [key_body(key) for key in services().keys.list_all()]})


@blueprint.post("")
def create_key() -> Response:
    """Create a key; its secret is in this response alone."""
    body: NewKeyBody = read_json(request.get_data(), NewKeyBody)
    caller = current_principal()
    created = services().keys.create(
        caller.owner or owner_of(caller.kind, ""),
        body.name,
        read_origins(body.origins),
        read_profile(body.profile),
    )
    return json_response(_with_secret(created), 201)


@blueprint.patch("/<key>")
def change_key(key: str) -> Response:
    """Change a key's name, sites or profile."""
    body: ChangedKeyBody = read_json(request.get_data(), ChangedKeyBody)
    found = services().keys.find_by_id(key)
    changed = msgspec.structs.replace(
        found,
        name=found.name if body.name is None else body.name,
        origins=found.origins if body.origins is None else read_origins(body.origins),
        profile=found.profile if body.profile is None else read_profile(body.profile),
    )
    services().keys.change(changed)
    return json_response(key_body(changed))


@blueprint.post("/<key>/rotate")
def rotate_key(key: str) -> Response:
    """Add a new value and secret to a key; the value before stays valid for a while."""
    raw = request.get_data()
    body: RotationBody = read_json(raw, RotationBody) if raw else RotationBody()
    return json_response(_with_secret(services().keys.rotate(key, body.keep_s)))


@blueprint.delete("/<key>")
def revoke_key(key: str) -> Response:
    """Revoke a key: its running answers stop."""
    services().keys.revoke(key)
    return json_response({"revoked": key})


def _with_secret(new: NewValue) -> dict[str, object]:
    return key_body(new.key) | {"secret": new.secret}
