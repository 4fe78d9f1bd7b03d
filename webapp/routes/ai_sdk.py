"""The endpoints for `useChat` of the AI SDK: start an answer, resume the one that runs in a chat, stop it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import msgspec
from flask import Blueprint, Response, request

from webapp.api.ui_message_stream import HEADERS, HEARTBEAT, UiMessageEncoder, read_chat
from webapp.errors import Interrupted, NotFound, Unavailable, UnsupportedType
from webapp.frames import new_run
from webapp.routes.current_principal import current_owner, current_principal
from webapp.routes.responses import json_response
from webapp.routes.stream import receipt_body, requested_run_id
from webapp.routes.streaming import RunBody, admit_reader, deliveries, split_writes, streaming_response
from webapp.runs.readers import Reader, ReaderConnection
from webapp.runs.remote_runs import AnyRun
from webapp.services import services
from webapp.store import chat_runs

log_ = logging.getLogger("freshet.http")

blueprint = Blueprint("ai_sdk", __name__, url_prefix="/ai-sdk/chat")

_NOTE_S = 0.5  # within which the run of a chat is noted; without that it cannot be resumed by the chat's name


@blueprint.post("")
def start() -> Response:
    """Start an answer and stream it."""
    if not request.is_json:
        raise UnsupportedType("The body must be JSON: send Content-Type: application/json.", param="body")
    chat, body = read_chat(request.get_data())
    parts, caller = services(), current_principal()
    body = msgspec.structs.replace(body, run=requested_run_id(body, caller.owner) or new_run())
    connection = admit_reader(parts, can_resume=True)
    try:
        run = parts.starter.start(body, caller)
        _note(caller.owner, chat, run.id)
    except BaseException:
        parts.runs.disconnect(connection)
        raise
    return _stream(run, connection)


@blueprint.get("/<chat>/stream")
def resume(chat: str) -> Response:
    """Stream the answer that runs in a chat, from its beginning; 204 if none does."""
    run = _find(chat)
    if run is None or run.log.closed:
        return Response(status=204)
    return _stream(run, admit_reader(services(), can_resume=True))


@blueprint.post("/<chat>/stop")
def stop(chat: str) -> Response:
    """Stop the answer that runs in a chat: the SDK's own `stop` only stops reading it."""
    run = _find(chat)
    if run is None:
        raise NotFound("No answer runs in this chat.", param="chat", code="run_not_found")
    return json_response(receipt_body(services().runs.stop(run.id, current_owner())))


def _note(owner: str | None, chat: str, run: str) -> None:
    try:
        services().store.write(lambda c: chat_runs.put(c, owner, chat, run), _NOTE_S)
    except Unavailable:
        log_.warning("the answer %s cannot be resumed by its chat: the database is unavailable", run)


def _find(chat: str) -> AnyRun | None:
    owner, parts = current_owner(), services()
    run = parts.store.read(lambda c: chat_runs.find(c, owner, chat))
    if run is None:
        return None
    try:
        return parts.runs.find(run, owner)
    except NotFound:
        return None
    except Unavailable as error:
        if error.code != "elsewhere":  # of callers without a name only the worker knows that has their answer
            raise
        return None


def _stream(run: AnyRun, connection: ReaderConnection) -> Response:
    encoder = UiMessageEncoder(run.log, run.id)

    def parts(reader: Reader, connection: ReaderConnection) -> Iterator[bytes]:
        yield from split_writes(encoder.encode(reader.take()))
        connection.note_write()
        for new in deliveries(reader, connection):
            yield from split_writes(encoder.encode(new) or HEARTBEAT)
        if connection.must_reconnect and not reader.ended:
            yield encoder.interrupted(Interrupted().message)

    response = streaming_response(RunBody(services(), run, None, parts, connection), "text/event-stream")
    response.headers.update(HEADERS)
    return response
