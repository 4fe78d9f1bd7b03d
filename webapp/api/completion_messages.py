"""The messages of a request to the OpenAI-compatible endpoints as a model gets them.

Other providers refuse an empty message, so those are left out. Calls and results of tools are sent on as text: a model that has
no tools here can still read what they returned.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from webapp.api.completion_body import CompletionBody, CompletionMessage, CompletionPart, FunctionCall
from webapp.api.image_upload import read_image
from webapp.api.start_request import ROLES, is_reasoning, read_messages
from webapp.chat import ImagePart, ModelMessage, Part, TextPart
from webapp.errors import InvalidRequest

_TOOL_ROLES = ("tool", "function")
_TEXT_PARTS = ("text", "input_text", "output_text")
_IMAGE_PARTS = ("image_url", "input_image")
_NAME = re.compile(r"[^\s<|\\/>]{1,64}")  # https://platform.openai.com/docs/api-reference/chat/create, `name`
_MAX_CALL_NAMES = 2_000


def read_completion_messages(body: CompletionBody) -> tuple[ModelMessage, ...]:
    """Return the model messages of a request. Raises `InvalidRequest` that names the field."""
    if body.messages is None and body.query is None and body.prompt is None:
        raise InvalidRequest("messages is missing.", param="messages", code="missing")
    if body.messages is None or body.query is not None or body.prompt is not None:
        return read_messages(body)
    called: dict[str, str] = {}  # the names of functions by the id of their call
    messages = [ModelMessage.system(body.system)] if body.system else []
    for index, message in enumerate(body.messages):
        role, parts = _read(f"messages[{index}]", message, called)
        if parts:
            content = parts if any(isinstance(part, ImagePart) for part in parts) else _join(parts)
            messages.append(ModelMessage(role, content, _name(index, message)))
    if (
        messages
        and all(message.role == "system" for message in messages)
        and not _asks_nothing(body.messages)
    ):
        # OpenAI answers instructions alone; every provider answers a question.
        messages[-1] = msgspec.structs.replace(messages[-1], role="user")
    if not any(message.role == "user" for message in messages):
        field = next(
            (
                f"messages[{index}].content"
                for index, message in enumerate(body.messages)
                if message.role == "user"
            ),
            "messages",
        )
        raise InvalidRequest(
            "messages must contain at least one message of the user with content.", param=field, code="empty"
        )
    return tuple(messages)


def _asks_nothing(messages: Sequence[CompletionMessage]) -> bool:
    """Return whether there are messages of a user, all of them empty."""
    return any(ROLES.get(message.role) == "user" for message in messages)


def _name(index: int, message: CompletionMessage) -> str | None:
    if message.role in _TOOL_ROLES or not message.name:
        return None
    if not _NAME.fullmatch(message.name):
        raise InvalidRequest(
            f"messages[{index}].name must be at most 64 characters without spaces and any of < | \\ / >.",
            param=f"messages[{index}].name",
            code="bad_name",
        )
    return message.name


def _read(
    field: str, message: CompletionMessage, called: dict[str, str]
) -> tuple[Literal["system", "user", "assistant"], tuple[Part, ...]]:
    """Return a message's role and its parts that are not empty; add the tools that it calls to `called`."""
    parts = _content(field, message)
    if message.role in _TOOL_ROLES:
        name = message.name or called.get(message.tool_call_id or "", "a tool")
        return "user", (TextPart(f"[Result of {name}]"), *parts)
    role = ROLES.get(message.role)
    if role is None:
        raise InvalidRequest(
            f"{field}.role must be user, assistant, system, developer or tool.",
            param=f"{field}.role",
            code="bad_role",
        )
    if message.refusal and message.refusal.strip():
        parts = (*parts, TextPart(message.refusal))
    calls = [(call.id, call.function or call.custom) for call in message.tool_calls or ()]
    calls.append((None, message.function_call))
    for call_id, call in calls:
        if call is None:
            continue
        if call_id and call.name and len(called) < _MAX_CALL_NAMES:
            called[call_id] = call.name
        parts = (*parts, TextPart(f"[Called {call.name or 'a tool'} with {_arguments(call)}]"))
    return role, parts


def _arguments(call: FunctionCall) -> str:
    value = call.arguments if call.arguments is not None else call.input
    if isinstance(value, str):
        return value or "nothing"
    return "nothing" if value is None else msgspec.json.encode(value).decode()


def _content(field: str, message: CompletionMessage) -> tuple[Part, ...]:
    content = message.content if message.content is not None else message.text
    if isinstance(content, str):
        return (TextPart(content),) if content.strip() else ()
    parts = [
        _part(f"{field}.content[{number}]", part)
        for number, part in enumerate(content or ())
        if not is_reasoning(message.role, part)
    ]
    return tuple(part for part in parts if isinstance(part, ImagePart) or part.text.strip())


def _part(field: str, part: CompletionPart) -> Part:
    if part.type in _TEXT_PARTS and part.text is not None:
        return TextPart(part.text)
    if part.type == "refusal":
        return TextPart(part.refusal or "")
    if part.type in _IMAGE_PARTS and part.image_url is not None:
        if isinstance(part.image_url, str):
            return _with_detail(read_image(field, part.image_url, None, None), part.detail)
        return _with_detail(read_image(field, part.image_url.url, None, None), part.image_url.detail)
    if part.type == "image" and (part.data or part.url):
        return read_image(field, part.url, part.media_type, part.data)
    raise InvalidRequest(f"{field} must be text, refusal, image_url or image.", param=field, code="bad_part")


def _join(parts: tuple[Part, ...]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, TextPart))


def _with_detail(image: ImagePart, detail: str | None) -> ImagePart:
    """Return an image with the `detail` that the caller asks for; `auto` is every provider's default."""
    return image if detail in (None, "auto") else msgspec.structs.replace(image, detail=detail)
