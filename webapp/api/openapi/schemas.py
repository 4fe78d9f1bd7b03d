"""The schemas of bodies: those of requests come from the types that parse them, those of responses are written here."""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from webapp.api.completion_body import CompletionBody
from webapp.api.conversation_bodies import ConversationChange, ShareBody
from webapp.api.import_reader import ExportFile
from webapp.api.key_bodies import ChangedKeyBody, NewKeyBody, RotationBody, VisitorTokenBody
from webapp.api.openapi.parts import JsonObject, ref
from webapp.api.start_request import StartBody
from webapp.api.ui_message_stream import UiChat
from webapp.conversation import Message
from webapp.frames import StoppedBy
from webapp.publishable_keys import KeyProfile

TEXT: JsonObject = {"type": "string"}
BOOLEAN: JsonObject = {"type": "boolean"}
COUNT: JsonObject = {"type": "integer", "minimum": 0}
MILLISECONDS: JsonObject = {"type": "integer", "description": "milliseconds since 1970"}
ID: JsonObject = {"type": "string", "minLength": 1, "maxLength": 200}
RUN_ID: JsonObject = {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}
_COST: JsonObject = {
    "type": ["number", "null"],
    "description": "US dollars; null where the price is not known",
}
_FINISH_REASON: JsonObject = {
    "type": ["string", "null"],
    "enum": ["stop", "length", "tool_calls", "content_filter", "cancelled", None],
}
_PARSED = (
    StartBody,
    CompletionBody,
    ConversationChange,
    ShareBody,
    ExportFile,
    Message,
    NewKeyBody,
    ChangedKeyBody,
    RotationBody,
    VisitorTokenBody,
    KeyProfile,
    UiChat,
)


def nullable(schema: JsonObject) -> JsonObject:
    """Return a schema that also takes null."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: JsonObject) -> JsonObject:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


def struct(required: JsonObject, optional: JsonObject | None = None) -> JsonObject:
    """Return the schema of an object with these fields; more may be added in later versions."""
    return {"type": "object", "properties": required | (optional or {}), "required": list(required)}


def event_stream(data: JsonObject) -> JsonObject:
    """Return the schema of one event of an SSE stream, whose `data` is JSON of a schema, or another text."""
    content = {"contentMediaType": "application/json", "contentSchema": data}
    return struct({"data": TEXT | content}, {"event": TEXT, "id": TEXT})


def build_schemas() -> JsonObject:
    """Return all schemas of the document, by name."""
    _, parsed = msgspec.json.schema_components(_PARSED, ref_template="#/components/schemas/{name}")
    schemas: dict[str, Any] = dict(parsed)
    # A decimal is read from a number or a string, and written as a number.
    schemas["Message"]["properties"]["cost"] = {
        "type": ["number", "string", "null"],
        "description": "US dollars",
    }
    return (
        schemas
        | _conversation_schemas()
        | _document_schemas()
        | _other_schemas()
        | _frame_schemas()
        | _completion_schemas()
    )


_HEAD: JsonObject = {
    "id": ID,
    "title": TEXT,
    "system": nullable(TEXT),
    "leaf": nullable(ID),
    "created_at": MILLISECONDS,
    "updated_at": MILLISECONDS,
}


def _conversation_schemas() -> JsonObject:
    """Return the schemas of stored conversations, links and import reports."""
    changed = {name: schema for name, schema in _HEAD.items() if name != "system"}
    changed |= {"run": nullable(RUN_ID), "documents": COUNT}
    match = {"message": ID, "text": TEXT, "marks": array(array(COUNT))}
    return {
        "Conversation": struct(_HEAD),
        "ConversationList": struct(
            {
                "conversations": array(struct(_HEAD | {"run": nullable(RUN_ID)}, {"match": struct(match)})),
                "next": nullable({"type": "string", "description": "the next page's `after`"}),
                "cursor": {"type": "string", "description": "`after` of a feed that follows this list"},
            }
        ),
        "ChangeEvent": {
            "oneOf": [
                struct({"resync": {"const": True}}),
                struct(
                    {"change": {"anyOf": [struct({"id": ID, "deleted": {"const": True}}), struct(changed)]}}
                ),
            ]
        },
        "ConversationTree": struct(
            _HEAD
            | {
                "run": nullable(RUN_ID),
                "shared_at": nullable(MILLISECONDS),
                "documents": array(ref("Document")),
                "messages": array(ref("Message")),
            }
        ),
        "ImportReport": struct(
            {
                "imported": array(
                    struct(
                        _HEAD
                        | {
                            "index": COUNT,
                            "app": {"enum": ["freshet", "chatgpt", "claude", "librechat", "open_webui"]},
                            "left_out": array(
                                struct({"kind": {"enum": ["image", "file"]}, "reason": TEXT, "count": COUNT})
                            ),
                        }
                    )
                ),
                "failed": array(
                    struct(
                        {"index": COUNT, "title": TEXT, "code": TEXT, "param": nullable(TEXT), "reason": TEXT}
                    )
                ),
            }
        ),
        "Link": struct(
            {"shared_at": nullable(MILLISECONDS)},
            {"leaf": ID, "token": nullable(TEXT), "path": nullable(TEXT)},
        ),
        "SharedBranch": struct(
            {"title": TEXT, "documents": array(_shared_document()), "messages": array(_shared_message())}
        ),
    }


def _shared_document() -> JsonObject:
    return struct({"id": ID, "source": TEXT, "title": TEXT, "file_bytes": COUNT, "pages": COUNT})


def _document_schemas() -> JsonObject:
    """Return the schemas of documents and of what is found in them."""
    return {
        "Collection": struct(
            {"id": ID, "name": TEXT, "is_own": BOOLEAN, "documents": COUNT, "created_at": MILLISECONDS}
        ),
        "Document": struct(
            {
                "id": ID,
                "source": {"type": "string", "description": "the file's name"},
                "title": TEXT,
                "media_type": TEXT,
                "digest": {"type": "string", "description": "the SHA-256 of the file"},
                "file_bytes": {**COUNT, "description": "the size of the file; 0: unknown"},
                "size": {**COUNT, "description": "what it counts in its owner's quota, in bytes"},
                "pages": COUNT,
                "passages": COUNT,
                "created_at": MILLISECONDS,
                "collection": nullable(ID),
                "conversation": nullable(ID),
            }
        ),
        "FoundPassages": struct(
            {
                "passages": array(
                    struct(
                        {
                            "content": TEXT,
                            "metadata": struct(
                                {
                                    "source": TEXT,
                                    "title": TEXT,
                                    "page": nullable(COUNT),
                                    "heading": TEXT,
                                    "document": ID,
                                }
                            ),
                            "score": {"type": "number", "minimum": 0, "maximum": 1},
                        }
                    )
                )
            }
        ),
        "DocumentPart": struct(
            {
                "document": ID,
                "source": TEXT,
                "title": TEXT,
                "page": nullable(COUNT),
                "pages": COUNT,
                "start": COUNT,
                "end": COUNT,
                "length": COUNT,
                "text": TEXT,
            }
        ),
    }


def _other_schemas() -> JsonObject:
    """Return the schemas of errors, sessions, receipts and readiness."""
    error = {"message": TEXT, "type": TEXT, "param": nullable(TEXT), "code": nullable(TEXT)}
    return {
        "Error": struct({"error": struct(error)}),
        "Session": struct(
            {
                "id": ID,
                "device": TEXT,
                "created_at": MILLISECONDS,
                "seen_at": MILLISECONDS,
                "current": BOOLEAN,
            }
        ),
        "Receipt": struct(
            {
                "run": RUN_ID,
                "state": {"enum": ["queued", "streaming", "done", "failed", "cancelled", "interrupted"]},
                "finish_reason": _FINISH_REASON,
                "usage": nullable(ref("TokenUsage")),
                "cost": _COST,
                "closed_ms": COUNT,
            }
        ),
        "TokenUsage": struct({"input_tokens": COUNT, "output_tokens": COUNT}, {"estimated": BOOLEAN}),
        "Arrival": struct(
            {
                "headers": {"type": "object", "additionalProperties": BOOLEAN},
                "host": BOOLEAN,
                "https": BOOLEAN,
                "prefix": BOOLEAN,
                "prefix_header": BOOLEAN,
                "forwarded": BOOLEAN,
                "trusted": BOOLEAN,
                "heartbeat_s": {"type": "number"},
            }
        ),
        "Readiness": struct(
            {
                "status": {"enum": ["ready", "full"]},
                "store": struct({"kind": TEXT, "state": TEXT}, {"waiting": COUNT, "lost": COUNT}),
                "journal": struct({"kind": TEXT, "state": TEXT}),
            }
        ),
    }


def _shared_message() -> JsonObject:
    piece = struct({"type": {"enum": ["text", "image"]}}, {"text": TEXT, "media_type": TEXT, "url": TEXT})
    return struct(
        {"role": {"enum": ["user", "assistant"]}, "content": array(piece), "created_at": MILLISECONDS},
        {"model": nullable(TEXT), "state": TEXT, "sources": array(ref("Source"))},
    )


def _frame_schemas() -> JsonObject:
    """Return the schemas of frames: the `data` of an SSE record, and a WebSocket message."""
    start = struct(
        {"v": COUNT, "run": RUN_ID, "provider": TEXT, "model": TEXT, "conversation": nullable(ID)},
        {"message": nullable(ID), "question": nullable(ID), "images": array(ID)},
    )
    source = struct(
        {"n": COUNT},
        {
            "title": TEXT,
            "source": TEXT,
            "snippet": TEXT,
            "document": ID,
            "page": COUNT,
            "start": COUNT,
            "score": {"type": "number"},
        },
    )
    sources = array(source)
    result = {
        "usage": ref("TokenUsage"),
        "cost": _COST,
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "provider": TEXT,
        "model": TEXT,
    }
    more = {"thought_ms": COUNT, "damaged": COUNT}
    reset = struct(
        {"text": TEXT, "reasoning": TEXT, "sources": sources, "start": start},
        {"replaced": BOOLEAN},
    )
    done = {"done": {"const": True}, "finish_reason": _FINISH_REASON}
    error = {"error": TEXT, "code": TEXT, "retryable": BOOLEAN, "partial": BOOLEAN}
    kinds = {
        "StartFrame": struct({"start": start}),
        "TextFrame": struct({"text": TEXT}),
        "ReasoningFrame": struct({"reasoning": TEXT}),
        "SourcesFrame": struct({"sources": sources}),
        "LogprobsFrame": struct({"logprobs": array(ref("TokenLogprob"))}),
        "ResetFrame": struct({"reset": reset}),
        "NoticeFrame": struct({"notice": struct({"code": TEXT, "after_ms": COUNT})}),
        "DoneFrame": struct(done | result, more | {"by": {"enum": list(get_args(StoppedBy))}}),
        "ErrorFrame": struct(error | result, more | {"retry_after": {"type": "number"}, "param": TEXT}),
    }
    return {**kinds, "Frame": {"oneOf": [ref(name) for name in kinds]}}


def _completion_schemas() -> JsonObject:
    usage = struct({"prompt_tokens": COUNT, "completion_tokens": COUNT, "total_tokens": COUNT})
    message = struct({"role": {"const": "assistant"}, "content": TEXT}, {"reasoning_content": TEXT})
    choice = struct(
        {"index": COUNT, "message": message, "finish_reason": TEXT}, {"logprobs": nullable(ref("Logprobs"))}
    )
    fields = {"id": TEXT, "created": COUNT, "model": TEXT}
    delta = struct({}, {"role": {"const": "assistant"}, "content": TEXT, "reasoning_content": TEXT})
    chunk_choice = struct(
        {"index": COUNT, "delta": delta, "finish_reason": nullable(TEXT)}, {"logprobs": ref("Logprobs")}
    )
    token = {"token": TEXT, "logprob": {"type": "number"}, "bytes": nullable(array(COUNT))}
    tokens = array(ref("TokenLogprob"))
    return {
        "TokenLogprob": struct({**token, "top_logprobs": array(struct(token))}),
        "Logprobs": struct({"content": tokens, "refusal": {"type": "null"}}),
        "CompletionChunk": struct(
            {"object": {"const": "chat.completion.chunk"}, **fields, "choices": array(chunk_choice)},
            {"usage": usage, "freshet_ignored": array(TEXT)},
        ),
        "Completion": struct(
            {"object": {"const": "chat.completion"}, **fields, "choices": array(choice), "usage": usage},
            {"freshet_ignored": array(TEXT)},
        ),
        "Model": struct({"id": TEXT, "object": {"const": "model"}, "created": COUNT, "owned_by": TEXT}),
        **_model_schemas(),
    }


def _model_schemas() -> JsonObject:
    price = {"type": "number", "minimum": 0}
    prices = {"input": price, "output": price, "cache_read": nullable(price), "cache_write": nullable(price)}
    facts = {
        "id": TEXT,
        "name": TEXT,
        "title": nullable(TEXT),
        "listed": BOOLEAN,
        "created": COUNT,
        "context_window": nullable(COUNT),
        "max_answer_tokens": nullable(COUNT),
        "prices": nullable(struct({**prices, "tiers": array(struct({"above": COUNT, **prices}))})),
        "images": nullable(BOOLEAN),
        "reasoning": BOOLEAN,
        "efforts": array({"enum": ["none", "low", "medium", "high", "xhigh", "max"]}),
    }
    state = {"enum": ["listed", "pending", "unavailable"]}
    group = struct({"provider": TEXT, "state": state, "models": array(struct(facts))})
    return {"ModelGroups": struct({"default": TEXT, "groups": array(group)})}
