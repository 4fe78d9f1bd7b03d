"""What all providers share: the calls from code, without a run, on top of `open`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing

from webapp.chat import ModelRequest, ModelResponse
from webapp.errors import Stopped
from webapp.events import Event, Finished
from webapp.providers.response_builder import ResponseBuilder
from webapp.seams import Control, EventStream, Pricer


class FreeControl:
    """A control for calls without a run: `stop` ends the call from another thread."""

    def __init__(self) -> None:
        self._abort: Callable[[], None] | None = None
        self._stopped = threading.Event()
        self.taken = False

    def opened(self, abort: Callable[[], None]) -> None:
        """Store the function that ends the call."""
        self._abort = abort
        if self._stopped.is_set():
            abort()
            raise Stopped

    def asked(self, taken: bool) -> None:
        """Note whether the provider has the request."""
        self.taken = taken

    def wait(self, seconds: float) -> None:
        """Sleep; raises `Stopped` as soon as the call is stopped."""
        if seconds > 0:
            self._stopped.wait(seconds)
        if self._stopped.is_set():
            raise Stopped

    def stop(self) -> None:
        """Stop the call from another thread."""
        self._stopped.set()
        if self._abort is not None:
            self._abort()


class BaseProvider:
    """A provider's common half: `stream_with_callback` and `complete` on top of `stream`."""

    name: str

    def __init__(self, model_name: str, max_tokens: int, pricer: Pricer) -> None:
        self._model_name = model_name
        self._max_tokens = max_tokens
        self._pricer = pricer

    @property
    def model_name(self) -> str:
        """The model it asks for."""
        return self._model_name

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Ask the model; see `seams.Provider`."""
        raise NotImplementedError

    def stream(self, request: ModelRequest, control: Control | None = None) -> Generator[Event, None, None]:
        """Yield what the model says, up to `Finished`. Close the generator to end the call. Raises `AnswerError`."""
        with closing(self.open(request, control or FreeControl())) as events:
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

        `response.content` and `response.usage` grow as it goes; usage is an estimate until the provider
        says more. An exception in the callback closes the provider's connection and comes out unchanged.
        Raises `AnswerError`.
        """
        builder = ResponseBuilder(self.name, self._model_name, request)
        response = builder.response
        with closing(self.stream(request)) as events:
            for event in events:
                text = builder.add(event)
                if text:
                    callback(text, response)
        response.cost = self._pricer(self.name, (response.model, self._model_name), response.usage)
        return response

    def _limit(self, request: ModelRequest) -> int:
        return request.max_tokens or self._max_tokens
