"""What both clients share: the question, the stream of an answer, and the calls built on it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from webapp.chat import ImagePart, ModelMessage, ModelRequest, ModelResponse
from webapp.errors import AnswerError, InvalidRequest

Callback = Callable[[str, str], object]
Document = str | Mapping[str, Any]

_GROUNDING = "Answer from these documents where they help, and name them by their number.\n\n"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, with the client's own settings filled in. `timeout_s` bounds the whole answer."""

    request: ModelRequest
    provider: str | None = None
    model: str | None = None
    timeout_s: float | None = None


class AnswerStream:
    """An answer as it comes: iterate for its deltas, `close` to stop the provider.

    `response` grows with it and is final after the last delta. One thread iterates; any may close.
    """

    def __init__(self, deltas: Iterator[str], response: ModelResponse, stop: Callable[[], None]) -> None:
        self.response = response
        self._deltas = deltas
        self._stop = stop
        self._closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        return next(self._deltas)

    def close(self) -> None:
        """Stop the provider and let the connection go; safe to call twice, and after the end."""
        if not self._closed:
            self._closed = True
            self._stop()
            close = getattr(self._deltas, "close", None)
            if close is not None:
                try:
                    close()
                except ValueError:
                    pass  # another thread is inside; the stop ends it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class QueryClient:
    """Asks and tells: `query_streaming` with a callback, `stream` as an iterator, `query` for the whole.

    `last_response` is the answer to the last call, with its `usage`, `cost`, `model` and `finish_reason`;
    None before the first. Calls raise `AnswerError` for an answer that failed and `RequestError` for a
    question that was refused.
    """

    def __init__(self, provider: str | None, model: str | None) -> None:
        self.last_response: ModelResponse | None = None
        self._provider = provider
        self._model = model

    def stream(
        self,
        query: str | Sequence[ModelMessage],
        *,
        system: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        timeout_s: float | None = None,
        retrieve: bool = False,
        documents: Sequence[Document] | None = None,
    ) -> AnswerStream:
        """Ask, and iterate over the answer.

        `query` is a text or the messages of a conversation. `documents`, texts or objects with `content`
        and `metadata`, go to the model with the question; `retrieve` looks them up by `retrieve_only`.
        """
        if timeout_s is not None and not _is_span(timeout_s):
            raise InvalidRequest("timeout_s must be seconds, more than 0.", param="timeout_s")
        asked = _asked(query)
        found = documents if documents is not None else self.retrieve_only(_text(asked)) if retrieve else ()
        request = ModelRequest(
            messages=_messages(asked, system, found), max_tokens=max_tokens, temperature=temperature
        )
        question = Question(
            request=request,
            provider=provider or self._provider,
            model=model or self._model,
            timeout_s=timeout_s,
        )
        stream = self._open(question)
        self.last_response = stream.response
        return stream

    def query_streaming(
        self,
        query: str | Sequence[ModelMessage],
        callback: Callback,
        *,
        fallback_to_query: bool = False,
        **options: Any,
    ) -> str:
        """Call `callback(delta, full_text)` as the answer comes, and return the whole of it.

        An exception in the callback stops the provider and comes out unchanged. With `fallback_to_query`
        an answer that fails before its first delta is asked for once more, not streamed, and the callback
        is given all of it at once. `options` are those of `stream`.
        """
        try:
            text = self._told(query, callback, options)
        except AnswerError:
            begun = self.last_response is not None and bool(self.last_response.content)
            if not fallback_to_query or begun:
                raise
            text = self.query(query, **options)
            callback(text, text)
        finish = getattr(callback, "finish", None)
        if finish is not None and self.last_response is not None:
            finish(self.last_response)
        return text

    def query(self, query: str | Sequence[ModelMessage], **options: Any) -> str:
        """Ask and return the whole answer. `options` are those of `stream`."""
        with self.stream(query, **options) as stream:
            for _ in stream:
                pass
            return stream.response.content

    def retrieve_only(self, query: str) -> list[dict[str, Any]]:
        """Find the documents that a question is about, each with `content` and `metadata`.

        There is no index to search yet: the list is empty.
        """
        del query
        return []

    def close(self) -> None:
        """Let go of connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, question: Question) -> AnswerStream:
        raise NotImplementedError

    def _told(
        self, query: str | Sequence[ModelMessage], callback: Callback, options: Mapping[str, Any]
    ) -> str:
        with self.stream(query, **options) as stream:
            for delta in stream:
                callback(delta, stream.response.content)
            return stream.response.content


def _is_span(seconds: object) -> bool:
    return isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 0 < seconds < math.inf


def _asked(query: object) -> tuple[ModelMessage, ...]:
    if isinstance(query, str):
        query = (ModelMessage.user(query),)
    if not isinstance(query, Sequence) or not all(isinstance(one, ModelMessage) for one in query):
        raise InvalidRequest(
            "query must be a text or a sequence of ModelMessage.", param="query", code="invalid_type"
        )
    if not any(one.role == "user" and _says(one) for one in query):
        raise InvalidRequest("query is empty.", param="query", code="empty")
    return tuple(query)


def _says(message: ModelMessage) -> bool:
    return bool(message.text.strip()) or any(isinstance(part, ImagePart) for part in message.parts)


def _text(asked: Sequence[ModelMessage]) -> str:
    return next((message.text for message in reversed(asked) if message.role == "user"), "")


def _messages(
    asked: tuple[ModelMessage, ...], system: str | None, documents: Sequence[Document]
) -> tuple[ModelMessage, ...]:
    head = [ModelMessage.system(system)] if system else []
    if isinstance(documents, (str, Mapping)) or not isinstance(documents, Sequence):
        raise InvalidRequest(
            "documents must be a sequence of texts or objects.", param="documents", code="invalid_type"
        )
    if documents:
        head.append(ModelMessage.system(_GROUNDING + "\n\n".join(_numbered(documents))))
    return (*head, *asked)


def _numbered(documents: Sequence[Document]) -> Iterator[str]:
    for number, document in enumerate(documents, 1):
        content, source = _read(document)
        if not isinstance(content, str) or not content:
            place = f"documents[{number - 1}]"
            raise InvalidRequest(
                f"{place} must be a text or an object with content.", param=place, code="invalid_type"
            )
        yield f"[{number}] {source}".rstrip() + f"\n{content}"


def _read(document: object) -> tuple[object, object]:
    if not isinstance(document, Mapping):
        return document, ""
    about = document.get("metadata")
    source = about.get("source", "") if isinstance(about, Mapping) else ""
    return document.get("content") or document.get("text"), source
