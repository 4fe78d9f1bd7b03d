"""The seams: what one floor may ask of another without importing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from webapp.chat import ModelRequest, ModelResponse, Usage
from webapp.errors import AnswerError
from webapp.events import Event
from webapp.frames import RunResult

Pricer = Callable[[str, Sequence[str], Usage], Decimal | None]
"""Return what usage costs at a provider, by the first of the model names whose price is known; None for none."""


class Control(Protocol):
    """How a run stops the call that it has made to a provider, and what the call reports to it."""

    def opened(self, abort: Callable[[], None]) -> None:
        """Take the function that ends the call from any thread. Raises `Stopped` when the run is stopped already."""

    def asked(self, taken: bool) -> None:
        """Note whether the provider has the request now, and may charge for it; at first it has not."""

    def wait(self, seconds: float) -> None:
        """Sleep; raises `Stopped` as soon as the run is stopped."""


class EventStream(Protocol):
    """What a provider says while it answers, read when the caller wants it. Close it when done."""

    @property
    def has_more(self) -> bool:
        """Whether the last read did not take all that had come: the next one should not be put off."""

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that have come; with `wait`, at least one. The last of all is `Finished`.

        Raises an `AnswerError` after what came before it was returned, and `Stopped`.
        """

    def close(self) -> None:
        """End the call. May be called more than once."""


class Provider(Protocol):
    """A source of answers. One object serves many runs at once."""

    @property
    def name(self) -> str:
        """`openai`, `anthropic`, `ollama` or `mock`."""

    @property
    def model_name(self) -> str:
        """The model it asks for."""

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Ask the model. Raises an `AnswerError`, `InvalidRequest` or `Stopped`, also by the stream's `read`."""

    def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the whole answer."""

    def stream_with_callback(
        self, request: ModelRequest, callback: Callable[[str, ModelResponse], None]
    ) -> ModelResponse:
        """Call `callback(delta, response)` for every delta and return the whole answer."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One POST to a provider. `headers` may hold a key, so a call is never logged."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Body(Protocol):
    """The bytes of a response, read when the caller wants them. Close it when done."""

    @property
    def ended(self) -> bool:
        """Whether all of the body was read."""

    @property
    def has_more(self) -> bool:
        """Whether the last read did not take all that had come: the next one should not be put off."""

    def read(self, *, wait: bool = True) -> bytes:
        """Return what has come; with `wait`, at least one byte. b"" is also the end: then `ended` is true.

        Raises `Interrupted` for a body that is cut, `UpstreamError` and `Stopped`.
        """

    def close(self, *, reuse: bool) -> None:
        """Release the connection: kept for another call with `reuse`, where that is possible, else closed at once."""


class Transport(Protocol):
    """Sends a call and returns the body of its response."""

    def post(self, call: Call, control: Control) -> Body:
        """Send a call. Raises `UpstreamError` where the status is not 200 or no response came, and `Stopped`."""


class Decoder(Protocol):
    """A provider's dialect: bytes in, events out, no I/O. Neither method raises: see `error`."""

    def decode(self, chunk: bytes) -> list[Event]:
        """Return the events in more bytes, cut anywhere."""

    def flush(self) -> list[Event]:
        """Return what the end of the body still holds, however it came."""

    @property
    def error(self) -> AnswerError | None:
        """What ended the answer after the events that were returned; None while it goes on, or has finished."""

    @property
    def finished(self) -> bool:
        """Whether the provider has said that the answer is complete."""


class Providers(Protocol):
    """Who can be asked, as the doors see it."""

    def resolve(self, provider: str | None, model: str | None) -> Sequence[Provider]:
        """Find the provider for what a request names, and those to try when it fails before its first word.

        Raises `InvalidRequest` naming `provider` or `model`.
        """

    def check(self, provider: Provider, request: ModelRequest) -> None:
        """Refuse, by name, what a model is known to lack; raises `InvalidRequest`."""

    def listed(self, *, priced: bool = False) -> Sequence[str]:
        """Name the models that are known of the configured providers, each as `provider/model`.

        With `priced` only those that `is_priced`.
        """

    def is_priced(self, provider: Provider) -> bool:
        """Return whether a model's price is known, or costs the operator nothing that could be counted.

        The operator's own choices, Ollama's models and those of the operator's own OPENAI_BASE_URL count as such.
        """

    def longest(self, provider: Provider) -> int:
        """Return how many tokens an answer may have where a request names no number."""

    def room(self, provider: Provider, max_tokens: int | None) -> int | None:
        """Tell how many tokens of a conversation fit beside an answer; None where the window is unknown."""

    def blind(self) -> Sequence[str]:
        """Name those of the listed models that are known not to see images."""

    def sees(self, provider: Provider) -> bool:
        """Tell whether images may be shown to a provider's model; an unknown one gets the benefit of the doubt."""


class AnswerWriter(Protocol):
    """Keeps one turn of a conversation while the engine makes its answer. Its methods raise nothing."""

    def begin(self) -> bool:
        """Keep the question, and that there is a run; False when it could not be kept within a second."""

    def so_far(self, text: str, reasoning: str) -> None:
        """Keep what has been said until now, if that is no trouble; never waits."""

    def end(self, result: RunResult, text: str, reasoning: str, *, wait: bool) -> bool:
        """Store the answer; False when it is not stored yet. Waits half a second at most, and only with `wait`."""


class SignInSession(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in session. Times are milliseconds since 1970; `credential` is what it was signed in with, keyed."""

    id: str
    user: str
    device: str
    credential: str
    created_at: int = 0
    seen_at: int = 0


class SessionStore(Protocol):
    """Keeps sessions by the digests of their tokens. Every method raises `Unavailable` while it cannot."""

    def add(self, digest: str, session: SignInSession, replaced: str | None) -> None:
        """Keep a new session; the one whose digest is `replaced` ends. What has expired goes, too."""

    def find(self, digest: str) -> SignInSession | None:
        """Find a session that has not expired."""

    def listed(self, user: str) -> Sequence[SignInSession]:
        """List a user's sessions, the last used first."""

    def end(self, user: str, sessions: Sequence[str] | None, kept: str | None = None) -> list[str]:
        """End these sessions of a user, or with None all but `kept`; returns the ids of those that ended."""

    def alive(self, sessions: Sequence[str]) -> list[str]:
        """Return which of these ids are sessions still."""

    def touch(self, sessions: Sequence[str]) -> None:
        """Note that these sessions were used just now."""


class SecretStore(Protocol):
    """Keeps the one secret that all servers of a database share."""

    def secret(self, offered: str) -> str:
        """Return the secret; `offered` becomes it where there is none yet. Raises `Unavailable`."""
