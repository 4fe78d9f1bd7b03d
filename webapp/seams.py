"""The seams: what one floor may ask of another without importing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from webapp.chat import FinishReason, ModelRequest, ModelResponse, Usage
from webapp.events import Event


class Control(Protocol):
    """How the engine and a provider's transport talk while an answer is being made."""

    @property
    def window_s(self) -> float:
        """How long the transport waits after a frame has left; 0 reads as fast as bytes come."""

    def drained(self) -> bool:
        """Say that the transport is about to wait; answers whether a frame left since the last call."""

    def opened(self, abort: Callable[[], None]) -> None:
        """Give a way to shut the provider's socket. Raises `Stopped` when the run is stopped already."""

    def asked(self, taken: bool) -> None:
        """Say whether the provider has the request now, and may count it; at first it has not."""

    def wait(self, seconds: float) -> None:
        """Sleep; raises `Stopped` as soon as the run is stopped."""


class Provider(Protocol):
    """A source of answers. One object serves many runs at once."""

    @property
    def name(self) -> str:
        """`openai`, `anthropic`, `ollama` or `mock`."""

    @property
    def model_name(self) -> str:
        """The model it asks for."""

    def stream(self, request: ModelRequest, control: Control) -> Iterator[Event]:
        """Yield what the model says; ends with `Finished`, or raises an `AnswerError` or `Stopped`."""

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


class Transport(Protocol):
    """Sends a call and gives back the answer's bytes as they come."""

    def post(self, call: Call, control: Control) -> AbstractContextManager[Iterable[bytes]]:
        """Send a call.

        Entering raises `UpstreamError` where the answer's status is not 200 or none came, and `Stopped`.
        Leaving closes the connection. The bytes end where the body ends; a body that is cut raises
        `Interrupted`.
        """


class Decoder(Protocol):
    """A provider's dialect: bytes in, events out, no I/O."""

    def decode(self, chunk: bytes) -> list[Event]:
        """Read more bytes, cut anywhere. Raises `UpstreamError` for an error that the provider reports."""

    def flush(self) -> list[Event]:
        """Read the end of the body, however it came; raises `Interrupted` when the answer was not whole."""

    @property
    def heard(self) -> Sequence[Event]:
        """What the last `decode` or `flush` has read; where it raised, what came before the error."""

    @property
    def finished(self) -> bool:
        """Whether the provider has said that the answer is whole."""


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


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer ended, for whoever keeps it. `error` is the failure's code.

    `thought_ms` is how long the model thought before it answered; None where it did not do both.
    """

    text: str
    reasoning: str
    state: Literal["done", "failed", "cancelled", "interrupted"]
    provider: str
    model: str
    usage: Usage
    cost: Decimal | None
    finish_reason: FinishReason | None
    error: str | None
    thought_ms: int | None = None


class AnswerWriter(Protocol):
    """Keeps one turn of a conversation while the engine makes its answer. Its methods raise nothing."""

    def begin(self) -> bool:
        """Keep the question, and that there is a run; False when it could not be kept within a second."""

    def so_far(self, text: str, reasoning: str) -> None:
        """Keep what has been said until now, if that is no trouble; never waits."""

    def end(self, answer: Answer, *, wait: bool) -> bool:
        """Keep the answer; False when it is not kept yet. Waits half a second at most, and only with `wait`."""


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
