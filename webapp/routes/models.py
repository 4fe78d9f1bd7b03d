"""The models: with what is known of them for the page, and in OpenAI's format."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from webapp.errors import NotFound
from webapp.routes.current_principal import current_principal
from webapp.routes.responses import json_response, stored_response
from webapp.seams import ModelFacts
from webapp.services import services

blueprint = Blueprint("models", __name__)

_FIRST_WAIT_S = 2.0  # how long programs wait for the providers' first lists; pages do not wait


@blueprint.get("/models")
def list_groups() -> Response:
    """List the models that the caller may use, by provider, with what is known of them. Waits for no provider."""
    parts = services()
    default = parts.providers.default
    groups = parts.providers.list_groups(priced=_only_priced())
    return stored_response({"default": f"{default.name}/{default.model_name}", "groups": groups})


@blueprint.get("/v1/models")
def list_models() -> Response:
    """List the models that the caller may use, in OpenAI's format."""
    services().providers.refresh_models(_FIRST_WAIT_S)
    groups = services().providers.list_groups(priced=_only_priced())
    models = [_openai_model(model) for group in groups for model in group.models]
    return json_response({"object": "list", "data": models})


@blueprint.get("/v1/models/<path:name>")
def show_model(name: str) -> Response:
    """Return one model in OpenAI's format; its name may contain slashes."""
    services().providers.refresh_models(_FIRST_WAIT_S)
    model = services().providers.find_model(name, priced=_only_priced())
    if model is None:
        raise NotFound("There is no model with this name.", param="model", code="model_not_found")
    return json_response(_openai_model(model))


def _only_priced() -> bool:
    return services().limiter.allowance(current_principal()).models == "priced"


def _openai_model(model: ModelFacts) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.id.partition("/")[0],
    }
