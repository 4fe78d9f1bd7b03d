"""The endpoints of what a caller has stored: conversations, links, sessions, and a visitor's things."""

from __future__ import annotations

from webapp.api.change_feed import MAX_WAIT_S
from webapp.api.import_file import MAX_CONVERSATIONS
from webapp.api.openapi.parts import (
    JsonObject,
    binary_content,
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
from webapp.api.openapi.schemas import COUNT, ID, TEXT, array, event_stream, struct
from webapp.search.ranking import MAX_PASSAGES

_CONVERSATION = path_parameter("conversation", "The conversation's id.")
_IMAGE = path_parameter("image", "The SHA-256 of the image.")
_DOCUMENT = path_parameter("document", "The document's id.")
_AT = query_parameter("at", "The offset in characters.", {"type": "integer", "minimum": 0, "default": 0})
_PAGE = query_parameter("page", "The page's number, instead of an offset.", {"type": "integer", "minimum": 0})
_TOKEN = path_parameter("token", "The secret part of a link.")
_IMAGE_FILE = response("The image.", binary_content("image/png", "image/jpeg", "image/gif", "image/webp"))
_HEAD = response("The conversation without its messages.", json_content(ref("Conversation")))
_LINK = response("The link.", json_content(ref("Link")))


def stored_paths() -> dict[str, JsonObject]:
    """Return the descriptions of the paths, by path."""
    return _conversation_paths() | _file_paths() | _document_paths() | _share_paths() | _account_paths()


def _conversation_paths() -> dict[str, JsonObject]:
    deleted = struct({"deleted": ID, "restore": TEXT})
    events = {"text/event-stream": {"schema": event_stream(ref("ChangeEvent"))}}
    return {
        "/conversations": {
            "get": operation(
                "conversations",
                "List the conversations, the last changed first",
                {200: response("A page of the list.", json_content(ref("ConversationList")))},
                parameters=(
                    query_parameter("search", "Words to find.", {"type": "string", "maxLength": 200}),
                    query_parameter(
                        "limit", "Most to list.", {"type": "integer", "minimum": 1, "maximum": 100}
                    ),
                    query_parameter("after", "`next` of the page before.", TEXT),
                ),
            )
        },
        "/changes": {
            "get": operation(
                "conversations",
                "Follow the changes of all conversations, resumable; see docs/protocol.md",
                {200: response("The changes as SSE records.", events)},
                parameters=(
                    header_parameter("Last-Event-ID", "The id of the last event that the client has.", TEXT),
                    query_parameter("after", "`cursor` of a list, or an event's id.", TEXT),
                    query_parameter(
                        "wait_s",
                        "End the response after so many seconds; without it, never.",
                        {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S},
                    ),
                ),
            )
        },
        "/conversations/{conversation}": {
            "get": operation(
                "conversations",
                "Read a conversation with the tree of its messages",
                {200: response("The conversation.", json_content(ref("ConversationTree")))},
                errors=(404,),
                parameters=(_CONVERSATION,),
            ),
            "patch": operation(
                "conversations",
                "Change title, instructions or current branch",
                {200: _HEAD},
                errors=(404, 415),
                parameters=(_CONVERSATION,),
                body=json_body("ConversationChange"),
            ),
            "delete": operation(
                "conversations",
                "Delete a conversation; it can be restored for thirty days",
                {200: response("What was deleted, and where to undo that.", json_content(deleted))},
                errors=(404,),
                parameters=(_CONVERSATION,),
            ),
        },
        "/conversations/{conversation}/restore": {
            "post": operation(
                "conversations",
                "Restore a deleted conversation",
                {200: _HEAD},
                errors=(404, 413),
                parameters=(_CONVERSATION,),
            )
        },
    }


def _file_paths() -> dict[str, JsonObject]:
    imported = json_content({"anyOf": [ref("Conversation"), ref("ImportReport")]})
    others: list[JsonObject] = [
        {"type": "object", "description": "A conversation of another app."},
        {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": MAX_CONVERSATIONS},
    ]
    exported = json_content(ref("ExportFile")) | text_content("text/markdown")
    format_ = query_parameter(
        "format", "The file's format.", {"enum": ["json", "markdown"], "default": "json"}
    )
    return {
        "/conversations/{conversation}/export": {
            "get": operation(
                "conversations",
                "Export a conversation: all of it as JSON, or the current branch as Markdown",
                {200: response("The file.", exported)},
                errors=(404,),
                parameters=(_CONVERSATION, format_),
            )
        },
        "/conversations/import": {
            "post": operation(
                "conversations",
                "Import conversations of this app or others under new ids: each as a whole, or not at all",
                {201: response("The conversation, if it is one of this app; else a report.", imported)},
                errors=(415,),
                body={"required": True, "content": json_content({"anyOf": [ref("ExportFile"), *others]})},
            )
        },
        "/conversations/{conversation}/images/{image}": {
            "get": operation(
                "conversations",
                "Read an image of a conversation",
                {200: _IMAGE_FILE},
                errors=(404,),
                parameters=(_CONVERSATION, _IMAGE),
            )
        },
    }


def _document_paths() -> dict[str, JsonObject]:
    collection = query_parameter("collection", "A collection's name.", {"type": "string", "maxLength": 200})
    conversation = query_parameter("conversation", "A conversation's id.", ID)
    listed: JsonObject = {
        "anyOf": [
            struct({"collections": array(ref("Collection"))}),
            struct({"documents": array(ref("Document"))}),
        ]
    }
    stored = response("The document.", json_content(ref("Document")))
    return {
        "/documents": {
            "get": operation(
                "documents",
                "List the collections that may be searched, or the documents of one collection or conversation",
                {200: response("The collections, or the documents.", json_content(listed))},
                errors=(404,),
                parameters=(collection, conversation),
            ),
            "post": operation(
                "documents",
                "Store a file in a collection or in a conversation; both are created if there is none",
                {201: stored},
                errors=(404, 415),
                parameters=(
                    query_parameter("name", "The file's name.", TEXT) | {"required": True},
                    collection,
                    conversation,
                ),
                body={"required": True, "content": binary_content("application/octet-stream")},
            ),
            "delete": operation(
                "documents",
                "Delete a collection with its documents",
                {200: response("Its name.", json_content(struct({"deleted": TEXT})))},
                errors=(404,),
                parameters=(collection,),
            ),
        },
        "/documents/search": {
            "get": operation(
                "documents",
                "Search the passages of documents",
                {200: response("The passages, the best first.", json_content(ref("FoundPassages")))},
                errors=(404,),
                parameters=(
                    query_parameter("query", "A question, or words.", TEXT) | {"required": True},
                    query_parameter(
                        "collection",
                        "Search only this one; may be repeated.",
                        {"type": "array", "items": {"type": "string", "maxLength": 200}},
                    ),
                    query_parameter(
                        "limit",
                        "Most to return.",
                        {"type": "integer", "minimum": 1, "maximum": MAX_PASSAGES, "default": 5},
                    ),
                ),
            )
        },
        "/documents/{document}": {
            "get": operation(
                "documents",
                "Read what a document is, without its text",
                {200: stored},
                errors=(404,),
                parameters=(_DOCUMENT,),
            ),
            "delete": operation(
                "documents",
                "Delete a document with its passages",
                {200: response("Its id.", json_content(struct({"deleted": ID})))},
                errors=(404,),
                parameters=(_DOCUMENT,),
            ),
        },
        "/documents/{document}/text": {
            "get": operation(
                "documents",
                "Read the page of a document, or some thousand characters, around an offset into its text",
                {200: response("The part.", json_content(ref("DocumentPart")))},
                errors=(404,),
                parameters=(_DOCUMENT, _AT, _PAGE),
            )
        },
    }


def _share_paths() -> dict[str, JsonObject]:
    page = text_content("text/html")
    branch = json_content(ref("SharedBranch")) | page
    error = json_content(ref("Error")) | page
    return {
        "/conversations/{conversation}/share": {
            "get": operation(
                "links",
                "Read the link again; `shared_at` is null where there is none",
                {200: _LINK},
                errors=(404,),
                parameters=(_CONVERSATION,),
            ),
            "post": operation(
                "links",
                "Create a link that shows one branch; it replaces an earlier one",
                {201: _LINK},
                errors=(404, 415),
                parameters=(_CONVERSATION,),
                body=json_body("ShareBody", required=False),
            ),
            "delete": operation(
                "links",
                "Revoke the link; idempotent",
                {200: _LINK},
                errors=(404,),
                parameters=(_CONVERSATION,),
            ),
        },
        "/shared/{token}": {
            "get": operation(
                "links",
                "Read what a link shows: a page for a browser, JSON for a program",
                {
                    200: response("The branch.", branch),
                    404: response("The link does not work, or no longer.", error),
                    503: response("The server is locked, or the database is unreachable.", error),
                },
                parameters=(_TOKEN,),
                is_open=True,
            )
        },
        "/shared/{token}/documents/{document}/text": {
            "get": operation(
                "links",
                "Read the page of a shared document, or some thousand characters, around an offset into its text",
                {200: response("The part.", json_content(ref("DocumentPart")))},
                errors=(404,),
                parameters=(_TOKEN, _DOCUMENT, _AT, _PAGE),
                is_open=True,
            )
        },
        "/shared/{token}/images/{image}": {
            "get": operation(
                "links",
                "Read an image of a shared branch",
                {200: _IMAGE_FILE},
                errors=(404,),
                parameters=(_TOKEN, _IMAGE),
                is_open=True,
            )
        },
    }


def _account_paths() -> dict[str, JsonObject]:
    ended = response("The ids of the ended sessions.", json_content(struct({"ended": array(ID)})))
    return {
        "/sessions": {
            "get": operation(
                "account",
                "List the sessions, the last used first",
                {200: response("The sessions.", json_content(struct({"sessions": array(ref("Session"))})))},
            ),
            "delete": operation("account", "End all other sessions", {200: ended}),
        },
        "/sessions/{session}": {
            "delete": operation(
                "account",
                "End a session",
                {200: ended},
                errors=(404,),
                parameters=(path_parameter("session", "The session's id."),),
            )
        },
        "/visitor": {
            "get": operation(
                "account",
                "Count the conversations that this browser stored as a visitor",
                {200: response("Their number.", json_content(struct({"conversations": COUNT})))},
            )
        },
        "/visitor/move": {
            "post": operation(
                "account",
                "Move a visitor's conversations to the signed-in user",
                {200: response("How many were moved.", json_content(struct({"moved": COUNT})))},
            )
        },
    }
