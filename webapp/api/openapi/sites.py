"""The endpoints for other sites: publishable keys, their visitors, and the AI SDK's chat."""

from __future__ import annotations

from webapp.api.openapi.parts import (
    JsonObject,
    header_parameter,
    json_body,
    json_content,
    operation,
    path_parameter,
    query_parameter,
    ref,
    response,
    text_content,
)
from webapp.api.openapi.schemas import COUNT, ID, MILLISECONDS, TEXT, array, event_stream, nullable, struct

_VALUE = struct({"key": TEXT, "created_at": MILLISECONDS, "expires_at": nullable(MILLISECONDS)})
_KEY_FIELDS = {
    "id": ID,
    "name": TEXT,
    "origins": array(TEXT),
    "profile": ref("KeyProfile"),
    "values": array(_VALUE),
    "created_at": MILLISECONDS,
}
_KEY = json_content(struct(_KEY_FIELDS))
_WITH_SECRET = json_content(struct(_KEY_FIELDS | {"secret": TEXT}))
_KEY_ID = path_parameter("key", "The key's id, which is not its value.")
_CHAT = path_parameter("chat", "The chat's id, which the AI SDK has made.")
_PARTS = response(
    "The answer in the AI SDK's UI message stream.",
    {"text/event-stream": {"schema": event_stream({"type": "object"})}},
)
_IDEMPOTENCY = header_parameter(
    "Idempotency-Key", "The same key from the same caller joins the answer.", TEXT
)


def site_paths() -> dict[str, JsonObject]:
    """Return the descriptions of the paths, by path."""
    return _key_paths() | _chat_paths() | _script_paths()


def _key_paths() -> dict[str, JsonObject]:
    token = struct({"profile": {"type": "object"}, "expires_s": COUNT}, {"token": TEXT})
    return {
        "/keys": {
            "get": operation(
                "sites",
                "List the keys, for the operator",
                {200: response("The keys.", json_content(struct({"keys": array(struct(_KEY_FIELDS))})))},
            ),
            "post": operation(
                "sites",
                "Make a key",
                {201: response("The key, and its secret this once.", _WITH_SECRET)},
                body=json_body("NewKeyBody"),
            ),
        },
        "/keys/{key}": {
            "patch": operation(
                "sites",
                "Change a key's name, sites or profile",
                {200: response("The key.", _KEY)},
                errors=(404,),
                parameters=(_KEY_ID,),
                body=json_body("ChangedKeyBody"),
            ),
            "delete": operation(
                "sites",
                "Revoke a key; its answers stop",
                {200: response("Its id.", json_content(struct({"revoked": ID})))},
                errors=(404,),
                parameters=(_KEY_ID,),
            ),
        },
        "/keys/{key}/rotate": {
            "post": operation(
                "sites",
                "Give a key a new value and secret",
                {200: response("The key, and its secret this once.", _WITH_SECRET)},
                errors=(404,),
                parameters=(_KEY_ID,),
                body=json_body("RotationBody", required=False),
            )
        },
        "/embed/visitor-token": {
            "post": operation(
                "sites",
                "Get or renew the token of a site's visitor",
                {
                    200: response(
                        "The token, unless the site has signed one, and how the chat looks.",
                        json_content(token),
                    )
                },
                body=json_body("VisitorTokenBody"),
                is_open=True,
            )
        },
    }


def _chat_paths() -> dict[str, JsonObject]:
    return {
        "/ai-sdk/chat": {
            "post": operation(
                "sites",
                "Start an answer for `useChat`",
                {200: _PARTS},
                parameters=(_IDEMPOTENCY,),
                body=json_body("UiChat"),
            )
        },
        "/ai-sdk/chat/{chat}/stream": {
            "get": operation(
                "sites",
                "Resume the answer that runs in a chat",
                {200: _PARTS, 204: response("No answer runs.")},
                parameters=(_CHAT,),
            )
        },
        "/ai-sdk/chat/{chat}/stop": {
            "post": operation(
                "sites",
                "Stop the answer that runs in a chat",
                {200: response("How the run stands.", json_content(ref("Receipt")))},
                errors=(404,),
                parameters=(_CHAT,),
            )
        },
    }


def _script_paths() -> dict[str, JsonObject]:
    script = {302: response("To the script of this version.")}
    return {
        "/embed": {
            "get": operation(
                "sites",
                "Show the chat of a key in a frame of its sites",
                {200: response("The page.", text_content("text/html"))},
                errors=(404,),
                parameters=(query_parameter("key", "The publishable key.", TEXT),),
                is_open=True,
            )
        },
        "/embed.js": {"get": operation("sites", "Load the chat into another site", script, is_open=True)},
        "/embed/widget.js": {"get": operation("sites", "Load what draws the chat", script, is_open=True)},
        "/embed/tokens.css": {
            "get": operation("sites", "Load the chat's colours and sizes", script, is_open=True)
        },
        "/client.js": {"get": operation("sites", "Load the client module", script, is_open=True)},
    }
