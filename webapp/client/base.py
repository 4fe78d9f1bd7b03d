"""The methods that both clients share, and the stream of an answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from webapp.chat import Effort, ImagePart, ModelMessage, ModelRequest, ModelResponse, Source
from webapp.errors import AnswerError, InvalidRequest
from webapp.search.context import put_before_question, quote_passages
from webapp.search.ranking import DEFAULT_PASSAGES, MAX_PASSAGES

Callback = Callable[[str, str], object]
Document = str | Mapping[str, Any]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """A request with the client's defaults filled in. `timeout_s` limits the whole answer."""

    request: ModelRequest
    provider: str | None = None
    model: str | None = None
    timeout_s: float | None = None


class AnswerStream:
    """An iterator over the deltas of an answer; `close` stops the provider.

    `response` is updated with each delta and final after the last one. Iterate in one thread; any thread may close.
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
        """Stop the provider and release the connection. Idempotent."""
        if not self._closed:
            self._closed = True
            self._stop()
            close = getattr(self._deltas, "close", None)
            if close is not None:
                try:
                    close()
                except ValueError:
                    pass  # another thread is iterating; the stop ends its loop

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class QueryClient:
    """Queries a model: `stream` returns an iterator, `query_streaming` calls a callback, `query` returns the whole text.

    `last_response` is the response to the last call, with its `usage`, `cost`, `model` and `finish_reason`; None before
    the first. Calls raise `RequestError` for an invalid or refused request and `AnswerError` for a failed answer.
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
        effort: Effort | None = None,
        timeout_s: float | None = None,
        retrieve: bool = False,
        documents: Sequence[Document] | None = None,
    ) -> AnswerStream:
        """Send a query and return the stream of its answer, which the caller closes.

        Args:
            query: A text, or the messages of a conversation.
            effort: How much the model reasons, from none to max; None for its default.
            documents: Texts, or mappings with `content` and `metadata`, which are sent along with the query.
            retrieve: Whether to use the documents of `retrieve_only` if `documents` is None.
        """
        if timeout_s is not None and not _is_positive_number(timeout_s):
            raise InvalidRequest("timeout_s must be a number of seconds above 0.", param="timeout_s")
        messages = _parse_query(query)
        if documents is None and retrieve:
            documents = self.retrieve_only(_last_question(messages))
        sources = _read_documents(documents)
        request = ModelRequest(
            messages=_add_context(messages, system, sources),
            max_tokens=max_tokens,
            temperature=temperature,
            effort=effort,
        )
        stream = self._open(
            Query(
                request=request,
                provider=provider or self._provider,
                model=model or self._model,
                timeout_s=timeout_s,
            )
        )
        stream.response.sources = tuple(sources or ())
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
        """Call `callback(delta, full_text)` for each delta and return the whole text.

        An exception in the callback stops the provider and propagates. With `fallback_to_query`, a query that fails before
        its first delta is repeated once without streaming, and the callback is called once with the whole text. `options`
        are those of `stream`.
        """
        try:
            text = self._stream_to(callback, query, options)
        except AnswerError:
            has_text = self.last_response is not None and bool(self.last_response.content)
            if not fallback_to_query or has_text:
                raise
            text = self.query(query, **options)
            callback(text, text)
        finish = getattr(callback, "finish", None)
        if finish is not None and self.last_response is not None:
            finish(self.last_response)
        return text

    def query(self, query: str | Sequence[ModelMessage], **options: Any) -> str:
        """Send a query and return the whole text. `options` are those of `stream`."""
        with self.stream(query, **options) as stream:
            for _ in stream:
                pass
            return stream.response.content

    def retrieve_only(
        self, query: str, *, collection: str | None = None, limit: int = DEFAULT_PASSAGES
    ) -> list[dict[str, Any]]:
        """Return the passages of documents that match a query best, the best first.

        Each has `content`, `metadata` (`source`, `title`, `page`, `heading`, `document`) and a `score` from 0 to 1. All collections
        that the client may read are searched, or one by its name (`NotFound`): in process those of `freshet ingest`, at a server
        those of the caller. A subclass may override this, for a search of its own.
        """
        if not isinstance(query, str):
            raise InvalidRequest("query must be a string.", param="query", code="invalid_type")
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_PASSAGES:
            raise InvalidRequest(f"limit must be an integer from 1 to {MAX_PASSAGES}.", param="limit")
        return self._search(query, collection, limit) if query.strip() else []

    def close(self) -> None:
        """Close the connections."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, query: Query) -> AnswerStream:
        raise NotImplementedError

    def _search(self, query: str, collection: str | None, limit: int) -> list[dict[str, Any]]:
        """Return what `retrieve_only` does, for arguments that were checked."""
        raise NotImplementedError

    def _stream_to(
        self, callback: Callback, query: str | Sequence[ModelMessage], options: Mapping[str, Any]
    ) -> str:
        with self.stream(query, **options) as stream:
            for delta in stream:
                callback(delta, stream.response.content)
            return stream.response.content


def _is_positive_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf


def _parse_query(query: object) -> tuple[ModelMessage, ...]:
    if isinstance(query, str):
        query = (ModelMessage.user(query),)
    if not isinstance(query, Sequence) or not all(isinstance(message, ModelMessage) for message in query):
        raise InvalidRequest(
            "query must be a string or a sequence of ModelMessage.", param="query", code="invalid_type"
        )
    if not any(message.role == "user" and _has_content(message) for message in query):
        raise InvalidRequest("query is empty.", param="query", code="empty")
    return tuple(query)


def _has_content(message: ModelMessage) -> bool:
    return bool(message.text.strip()) or any(isinstance(part, ImagePart) for part in message.parts)


def _last_question(messages: Sequence[ModelMessage]) -> str:
    return next((message.text for message in reversed(messages) if message.role == "user"), "")


def _add_context(
    messages: tuple[ModelMessage, ...], system: str | None, sources: Sequence[Source] | None
) -> tuple[ModelMessage, ...]:
    """Prepend the system prompt, and put the documents before the last question."""
    if sources is not None:
        messages = tuple(put_before_question(messages, quote_passages(sources, {})))
    return (ModelMessage.system(system), *messages) if system else messages


def _read_documents(documents: Sequence[Document] | None) -> list[Source] | None:
    """Return documents as numbered sources; None where none were asked for."""
    if documents is None:
        return None
    if isinstance(documents, (str, Mapping)) or not isinstance(documents, Sequence):
        raise InvalidRequest(
            "documents must be a sequence of strings or mappings.", param="documents", code="invalid_type"
        )
    return [_read_document(number, document) for number, document in enumerate(documents, 1)]


def _read_document(number: int, document: object) -> Source:
    content: object = document
    metadata: Mapping[str, Any] = {}
    if isinstance(document, Mapping):
        content = document.get("content") or document.get("text")
        found = document.get("metadata")
        metadata = found if isinstance(found, Mapping) else {}
    if not isinstance(content, str) or not content:
        param = f"documents[{number - 1}]"
        raise InvalidRequest(
            f"{param} must be a string or a mapping with content.", param=param, code="invalid_type"
        )
    page = metadata.get("page")
    return Source(
        n=number,
        title=str(metadata.get("title") or ""),
        source=str(metadata.get("source") or ""),
        snippet=content,
        document=str(metadata.get("document") or ""),
        page=page if isinstance(page, int) else None,
    )
