"""The base class of providers, with methods to call a model without a run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import NotRequired, TypedDict

from webapp.catalog.listing import ListedModel
from webapp.chat import Effort, ModelRequest, ModelResponse
from webapp.errors import Stopped, UpstreamError
from webapp.events import Event, Finished
from webapp.providers.response_builder import ResponseBuilder
from webapp.seams import Control, EventStream, Pricer, Transport


class CallControl:
    """The control of a call without a run; see `seams.Control`. `stop` ends the call from another thread."""

    def __init__(self) -> None:
        self._abort: Callable[[], None] | None = None
        self._stopped = threading.Event()
        self.delivered = False

    def register_abort(self, abort: Callable[[], None]) -> None:
        """Store the function that ends the call. Raises `Stopped`."""
        self._abort = abort
        if self._stopped.is_set():
            abort()
            raise Stopped

    def report_delivery(self, delivered: bool) -> None:
        """Record whether the provider may have received the request."""
        self.delivered = delivered

    def report_retry(self, error: UpstreamError) -> None:
        """Ignore it: the caller gets the last failure."""

    def wait(self, seconds: float) -> None:
        """Sleep. Raises `Stopped` as soon as the call is stopped."""
        if seconds > 0:
            self._stopped.wait(seconds)
        if self._stopped.is_set():
            raise Stopped

    def stop(self) -> None:
        """Stop the call from another thread."""
        self._stopped.set()
        if self._abort is not None:
            self._abort()


ReasoningRoom = Callable[[Effort | None], int]
"""Return how many tokens an answer may have for its reasoning, beside its text, at an effort or the model's own."""


class ProviderOptions(TypedDict):
    """The options that all providers have; see `BaseProvider`."""

    model_name: str
    max_tokens: int
    pricer: Pricer
    reasoning_room: NotRequired[ReasoningRoom]


class BaseProvider:
    """Implements `stream`, `stream_with_callback` and `complete` with a subclass's `open`.

    `max_tokens` is the limit of an answer for requests without one; `reasoning_room` is added to it.
    """

    name: str

    def __init__(
        self,
        model_name: str,
        max_tokens: int,
        pricer: Pricer,
        reasoning_room: ReasoningRoom = lambda _: 0,
    ) -> None:
        self._model_name = model_name
        self._max_tokens = max_tokens
        self._pricer = pricer
        self._reasoning_room = reasoning_room

    @property
    def max_tokens(self) -> int:
        """The limit of an answer's tokens for requests without one, before what is added for reasoning."""
        return self._max_tokens

    @property
    def pricer(self) -> Pricer:
        """The function that computes costs."""
        return self._pricer

    @property
    def model_name(self) -> str:
        """The model that is called."""
        return self._model_name

    def check(self, request: ModelRequest) -> None:
        """Raise `InvalidRequest` for what the model is known not to support; see `seams.Provider`."""

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Call the model; see `seams.Provider`."""
        raise NotImplementedError

    def list_models(self, transport: Transport, control: Control) -> Iterator[list[ListedModel]]:
        """Yield the models that the provider lists, perhaps again with more known of them; see `listings`."""
        del transport, control
        return iter(())

    def stream(self, request: ModelRequest, control: Control | None = None) -> Generator[Event, None, None]:
        """Yield the events of an answer up to `Finished`. Close the generator to end the call. Raises `AnswerError`."""
        with closing(self.open(request, control or CallControl())) as events:
            while True:
                for event in events.read():
                    yield event
                    if isinstance(event, Finished):
                        return

    def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the whole answer."""
        return self.stream_with_callback(request, lambda _delta, _response: None)

    def stream_with_callback(
        self, request: ModelRequest, callback: Callable[[str, ModelResponse], None]
    ) -> ModelResponse:
        """Call `callback(delta, response)` for every delta of text and return the whole answer.

        `response` is updated with each delta; its usage is an estimate until the provider reports its own. An exception
        in the callback closes the provider's connection and propagates. Raises `AnswerError`.
        """
        builder = ResponseBuilder(self.name, self._model_name, request)
        response = builder.response
        with closing(self.stream(request)) as events:
            for event in events:
                text = builder.add(event)
                if text:
                    callback(text, response)
        names = (response.model, self._model_name)
        response.cost = builder.meter.cost(self._pricer, self.name, names, response.usage)
        return response

    def _max_output_tokens(self, request: ModelRequest) -> int:
        return request.max_tokens or self._max_tokens + self._reasoning_room(request.effort)
