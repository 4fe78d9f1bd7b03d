"""Interfaces between layers: what one layer uses of another without importing it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Literal, Protocol

import msgspec

from webapp.chat import Effort, ModelRequest, ModelResponse, Usage
from webapp.errors import AnswerError, UpstreamError
from webapp.events import Event, Source
from webapp.found_passage import FoundPassage, SearchScope
from webapp.frames import Frame, RunResult, StoppedBy
from webapp.journal_records import (
    JournalCursor,
    JournalEntry,
    JournalGroup,
    JournalRun,
    JournalUpdate,
    Refusal,
)
from webapp.publishable_keys import KeyValue, PublishableKey

Pricer = Callable[[str, Sequence[str], Usage], Decimal | None]
"""Return the cost of usage at a provider in US dollars, for the first of the model names that has a known price."""


class Control(Protocol):
    """Interface through which a provider reports to the engine during a call, and through which a run stops it."""

    def register_abort(self, abort: Callable[[], None]) -> None:
        """Store a function that ends the call from any thread. Raises `Stopped` if the run is already stopped."""

    def report_delivery(self, delivered: bool) -> None:
        """Report whether the provider may have received the request, and may charge for it. False until reported."""

    def report_retry(self, error: UpstreamError) -> None:
        """Report a failed call that is about to be repeated."""

    def wait(self, seconds: float) -> None:
        """Sleep. Raises `Stopped` as soon as the run is stopped."""


class EventStream(Protocol):
    """The events of one answer, read as they arrive. The caller closes it."""

    @property
    def has_more(self) -> bool:
        """Whether received data was left over by the last read, so the next read should follow at once."""

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that have arrived; with `wait`, at least one. The last event is `Finished`.

        Raises `Stopped`, or an `AnswerError` once the events before it were returned.
        """

    @property
    def rest(self) -> EventStream:
        """A stream of what this one has not returned yet: itself, or once it needs to change nothing the one it reads."""

    def close(self) -> None:
        """End the call. Idempotent."""


class Provider(Protocol):
    """A source of answers. One object serves many runs concurrently."""

    @property
    def name(self) -> str:
        """`openai`, `anthropic`, `ollama` or `mock`."""

    @property
    def model_name(self) -> str:
        """The model that is called."""

    def check(self, request: ModelRequest) -> None:
        """Raise `InvalidRequest` for what the model is known not to support; asks nobody."""

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Call the model. Here or at the first `read`, raises an `AnswerError`, `InvalidRequest` or `Stopped`."""

    def complete(self, request: ModelRequest) -> ModelResponse:
        """Return the whole answer."""

    def stream_with_callback(
        self, request: ModelRequest, callback: Callable[[str, ModelResponse], None]
    ) -> ModelResponse:
        """Call `callback(delta, response)` for every delta and return the whole answer."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a provider. Never log it: `headers` may contain an API key."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: Literal["GET", "POST"] = "POST"


class Body(Protocol):
    """The body of a response, read as it arrives. The caller closes it."""

    @property
    def ended(self) -> bool:
        """Whether the whole body has been read."""

    @property
    def has_more(self) -> bool:
        """Whether received data was left over by the last read, so the next read should follow at once."""

    def read(self, *, wait: bool = True) -> bytes:
        """Return the bytes that have arrived; with `wait`, at least one. At the end returns b"" and sets `ended`.

        Raises `Interrupted` for a truncated body, `UpstreamError` and `Stopped`.
        """

    def end_within(self, seconds: float) -> None:
        """Set a deadline for the body, `seconds` from now: later reads raise `UpstreamError`."""

    def close(self, *, reuse: bool) -> None:
        """Release the connection: with `reuse` keep it for another call if possible, else close it."""


class Transport(Protocol):
    """Sends calls to providers."""

    def post(self, call: Call, control: Control) -> Body:
        """Send a call, with its method, and return the response's body.

        Raises `Stopped`, or `UpstreamError` if the status is not one of success (2xx) or no response arrives.
        """


class Decoder(Protocol):
    """Decodes the response body of a provider into events, without I/O. Failures are in `error`; no method raises."""

    def decode(self, chunk: bytes) -> list[Event]:
        """Return the events that a chunk of the body completes. Chunks may end anywhere."""

    def flush(self) -> list[Event]:
        """Return the remaining events after the end of the body, even if the body was truncated."""

    def is_ending(self) -> bool:
        """Return whether the answer would be complete if nothing more arrived."""

    @property
    def error(self) -> AnswerError | None:
        """The failure that follows the events returned so far; None while the answer goes on or after its end."""

    @property
    def finished(self) -> bool:
        """Whether the provider has confirmed that the answer is complete."""


class TierPrices(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of a request whose prompt has more than `above` tokens; see `ModelPrices`."""

    above: int
    input: Decimal
    output: Decimal
    cache_read: Decimal | None
    cache_write: Decimal | None


class ModelPrices(msgspec.Struct, frozen=True, kw_only=True):
    """Prices in US dollars per million tokens; a price of cached tokens is None where they cost what input does."""

    input: Decimal
    output: Decimal
    cache_read: Decimal | None
    cache_write: Decimal | None
    tiers: tuple[TierPrices, ...]


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a model; None means unknown. `id` is `provider/name`, `created` seconds since 1970 or 0.

    `listed` is whether the provider lists it, `efforts` are the values of `effort` that it is known to accept.
    """

    id: str
    name: str
    title: str | None
    listed: bool
    created: int
    context_window: int | None
    max_answer_tokens: int | None
    prices: ModelPrices | None
    images: bool | None
    reasoning: bool
    efforts: tuple[Effort, ...]


ListingState = Literal["listed", "pending", "unavailable"]


class ModelGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's models, its default first.

    `state`: `listed`, they are those that the provider lists, and the operator's; `pending`, the provider is being asked, and
    until then they are the table's; `unavailable`, it lists none, refuses, or does not answer, and they are the table's.
    """

    provider: str
    state: ListingState
    models: tuple[ModelFacts, ...]


class Providers(Protocol):
    """The configured providers and what is known of their models."""

    @property
    def default(self) -> Provider:
        """The provider for requests that name none, with its default model as far as is known. Never waits."""

    def refresh_models(self, wait_s: float = 0.0) -> None:
        """Ask the configured providers for their models, in the background; wait at most `wait_s` for the first answers."""

    def list_groups(self, *, priced: bool = False) -> Sequence[ModelGroup]:
        """Return the models of the configured providers, the default provider's first; with `priced`, see `is_priced`.

        Never waits: providers are asked in the background for what is not known, or is older than ten minutes.
        """

    def find_model(self, name: str, *, priced: bool = False) -> ModelFacts | None:
        """Return a model of `list_groups` by `provider/name` or by its name alone; None if there is none."""

    def resolve(self, provider: str | None, model: str | None) -> Sequence[Provider]:
        """Return the provider for a request's `provider` and `model`, followed by its fallbacks.

        A fallback is used when a provider fails before its first delta. Raises `InvalidRequest` naming the field.
        """

    def check(self, provider: Provider, request: ModelRequest) -> None:
        """Raise `InvalidRequest` if the model is known not to support something in the request."""

    def list_models(self, *, priced: bool = False) -> Sequence[str]:
        """Return the known models of the configured providers as `provider/model`; with `priced`, see `is_priced`."""

    def is_priced(self, provider: Provider) -> bool:
        """Return whether a model's price is known, or need not be.

        It need not be for models that the operator configured, for Ollama, and for servers at OPENAI_BASE_URL.
        """

    def max_answer_tokens(self, provider: Provider, effort: Effort | None = None) -> int:
        """Return the limit of an answer's tokens, reasoning included, for requests without `max_tokens`.

        Without FRESHET_MAX_TOKENS a model that reasons has room for that beside its text: `effort` is how much, None for its own.
        """

    def reasoning_tokens(self, provider: Provider, effort: Effort | None) -> int:
        """Return how many tokens an answer may need for its reasoning, whatever the settings allow."""

    def max_input_tokens(
        self, provider: Provider, max_tokens: int | None, effort: Effort | None = None
    ) -> int | None:
        """Return how many tokens of a conversation fit into the context window beside an answer; None if unknown."""

    def list_text_only_models(self) -> Sequence[str]:
        """Return the models of `list_models` that are known not to support images."""

    def supports_images(self, provider: Provider) -> bool:
        """Return whether a model supports images; True if unknown."""


class AnswerWriter(Protocol):
    """Stores one turn of a conversation while the engine generates its answer. No method raises.

    `epoch` is the run's: what is stored of its answer changes nothing once a later epoch has stored more, or has claimed it.
    """

    def store_question(self, epoch: int) -> bool:
        """Store the question and the run's id. Waits one second at most; returns False if it is not stored by then."""

    def save_progress(self, text: str, reasoning: str, sealed: str | None = None, *, epoch: int) -> None:
        """Store the answer so far, unless other writes are waiting. Never blocks. `sealed`: see `RunResult`."""

    def store_answer(
        self,
        result: RunResult,
        text: str,
        reasoning: str,
        sources: Sequence[Source] = (),
        *,
        epoch: int,
        wait: bool,
    ) -> bool:
        """Store the final answer; return False if it is not stored yet. With `wait`, waits half a second at most."""


class SignInSession(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in session. Times are milliseconds since 1970; `credential` is a keyed digest of the password used."""

    id: str
    user: str
    device: str
    credential: str
    created_at: int = 0
    seen_at: int = 0


class SessionStore(Protocol):
    """Stores sessions under the digests of their tokens. Every method may raise `Unavailable`."""

    def add(self, digest: str, session: SignInSession, replaced: str | None) -> None:
        """Store a session, and delete the one with the digest `replaced` as well as expired ones."""

    def find(self, digest: str) -> SignInSession | None:
        """Return a session that has not expired."""

    def list_for(self, user: str) -> Sequence[SignInSession]:
        """Return a user's sessions, the most recently used first."""

    def end(self, user: str, session_ids: Sequence[str] | None, except_id: str | None = None) -> list[str]:
        """Delete these sessions of a user, or with None all except `except_id`; return the ids of the deleted ones."""

    def filter_active(self, sessions: Sequence[str]) -> list[str]:
        """Return those of these ids whose sessions have not ended."""

    def touch(self, sessions: Sequence[str]) -> None:
        """Set the time of last use of these sessions to now."""


class KeyStore(Protocol):
    """Stores publishable keys. Every method may raise `Unavailable`."""

    def add(self, owner: str, key: PublishableKey) -> None:
        """Store a new key. Raises `TooLarge` if there are too many."""

    def list_all(self) -> list[PublishableKey]:
        """Return all keys, the oldest first."""

    def change(self, key: PublishableKey) -> None:
        """Store a key's name, origins and profile. Raises `NotFound`."""

    def add_value(self, key_id: str, value: KeyValue, older_expire_at: int) -> None:
        """Store another value of a key, whose older ones expire then at the latest. Raises `NotFound`."""

    def delete(self, key_id: str) -> None:
        """Delete a key. Raises `NotFound`."""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """At most `most` times in each slot of `window_s` seconds, which begin at the same moments everywhere."""

    name: str
    most: int
    window_s: int

    def slot(self, now: float) -> int:
        """Return the number of the slot; `now` is seconds since 1970."""
        return int(now // self.window_s)

    def wait_s(self, now: float) -> int:
        """Return the seconds until the next slot."""
        return max(1, int((self.slot(now) + 1) * self.window_s - now) + 1)


class SharedCounters(Protocol):
    """Counts over all workers of a store. Where that is away or late, nothing is counted, and no limit is reached there."""

    def hit(self, limits: Sequence[RateLimit], within_s: float) -> RateLimit | None:
        """Count one for each of these limits. If one of them is reached already, count nothing and return it."""

    def is_reached(self, limit: RateLimit, within_s: float) -> bool:
        """Return whether a limit is reached; count nothing."""


class PassageSearch(Protocol):
    """A way to rank passages of documents, such as by their words. Several are joined by reciprocal rank fusion."""

    def rank(self, queries: Sequence[str], scope: SearchScope, limit: int) -> list[list[FoundPassage]]:
        """Return the best passages for each of these queries, `limit` at most, the best first.

        Takes 1.5 s at most. Raises `NotFound` for an unknown collection, and `Unavailable`.
        """


class SecretStore(Protocol):
    """Stores the secret that all servers of a database share."""

    def get_or_create(self, candidate: str) -> str:
        """Return the secret; if there is none, store `candidate` first. Raises `Unavailable`."""


JournalKind = Literal["memory", "sqlite", "postgres", "redis"]
JournalCondition = Literal["opening", "ready", "away", "outdated", "closed"]


class Journal(Protocol):
    """The shared copy of running answers, which all workers read and write; `journal_records` has its values.

    A run belongs to one worker and one epoch. Both change by `seize` alone, so a worker that has lost a run finds its
    writes refused. Every write may be repeated after a failure, unchanged or with more frames: what is stored already is
    skipped.

    Every method may raise `JournalUnavailable`, after about a second at most (`find` and `list_running`, which requests call
    first: after 0.4 s; `read` with `wait_s`: that much later); it is then unknown whether a write was done. The journal is opened by the first call and reopened by the first call after a
    failure. Methods may be called from any thread of the event loop's process, and block only the calling thread or
    greenlet. Calls with more than `MAX_IDS` runs or groups raise `ValueError`.
    """

    @property
    def kind(self) -> JournalKind:
        """Where it is stored."""

    @property
    def condition(self) -> JournalCondition:
        """What the last call found; `outdated` is a journal of another version, which is never written to."""

    @property
    def failure(self) -> str:
        """Why it is away, in one line for the operator; empty while it is not."""

    def begin(self, entry: JournalEntry) -> JournalRun | None:
        """Store a new run and its first frames, and return None; return the run, unchanged, if its id is known.

        Raises `LeaseLapsed` for a new run whose worker has no valid lease. Of concurrent calls exactly one returns None.
        """

    def append(self, worker: str, groups: Sequence[JournalGroup]) -> Mapping[str, Refusal]:
        """Store groups of any number of runs in one transaction; return the runs whose groups were not accepted.

        A group is accepted if its epoch and `worker` are the run's, and it follows the frames that are stored or overlaps
        them. Groups of one run are given in order; after the first refusal the run's others are not stored either. A
        terminal frame is stored by `end` only. Of a temporary run nothing is stored.
        """

    def end(self, worker: str, group: JournalGroup) -> Refusal | None:
        """Store a run's last frames, of which the last is terminal, mark it as ended and delete its request.

        Returns None if accepted. After that, only the same call with the same terminal frame is accepted again. The
        terminal frame may be sent to readers once it was accepted, and must not be if it was refused as `seized` or `ended`.
        """

    def find(self, run: str) -> JournalRun | None:
        """Return a run; None if it is unknown or has expired."""

    def list_running(self, owner: str, conversation: str | None = None) -> list[JournalRun]:
        """Return an owner's running runs, the newest first, at most 1,000; with `conversation`, only that one's."""

    def move_owner(self, source: str, target: str) -> None:
        """Transfer all runs of one owner to another."""

    def read(
        self, cursors: Mapping[str, JournalCursor], limit_bytes: int, wait_s: float = 0.0
    ) -> Mapping[str, JournalUpdate]:
        """Return what follows the cursor of each run; runs that the journal does not have are missing.

        If the run's epoch is newer than the cursor's, that is the whole newest epoch with its reset. A cursor ahead of what
        is stored of its epoch has nothing following it. At most about `limit_bytes` of frames are returned, shared
        evenly between the runs, and at least one group if anything follows.

        With `wait_s`, waits that long for something to follow a cursor, or for a run to end. Journals that nobody wakes look
        every 50 ms. A run that is added meanwhile is not part of the call.
        """

    def seize(self, run: str, epoch: int, last_seq: int, worker: str, reset: Sequence[Frame]) -> int | None:
        """Take a run over in a new epoch that begins with `reset`; return that epoch, or None if it was not possible.

        It is possible if the run is running in this epoch, `last_seq` is still its last stored frame (so the caller's reset has
        all that is stored), and its worker is the caller or has no valid lease. The frames of older epochs are
        deleted. Counts as a takeover if the worker changes. Of concurrent calls at most one succeeds.
        """

    def renew(self, worker: str, ttl_s: float) -> bool:
        """Begin a worker's lease, or extend it until `ttl_s` from now. Returns False, and changes nothing, if it has lapsed.

        Does its I/O in the calling thread, on a connection of its own, so that a thread of the operating system beside
        gevent's event loop can call it; one thread at a time.
        """

    def reclaim(self, worker: str, ttl_s: float) -> list[JournalRun]:
        """Begin a lapsed lease again, and return the worker's running runs: those that nobody has seized meanwhile."""

    def release(self, worker: str) -> None:
        """End a worker's lease at once, so that others may take its runs over. Its writes are accepted until they do."""

    def list_lapsed(self, grace_s: float, limit: int = 100) -> list[JournalRun]:
        """Return running runs whose worker's lease was released, or lapsed at least `grace_s` ago; the oldest run first.

        While the journal is away no worker can renew its lease. The caller therefore waits for two leases, after its own
        start and after each `JournalUnavailable`, before it takes anything over.
        """

    def request_stop(self, run: str, by: StoppedBy) -> bool:
        """Ask the run's worker to stop it; return whether it is running. The first request counts."""

    def find_stops(self, worker: str) -> Mapping[str, StoppedBy]:
        """Return which of a worker's running runs are to be stopped, and who asked."""

    def mark_read(self, runs: Collection[str]) -> None:
        """Note that these runs have readers now. Unknown ones are ignored."""

    def measure_unread_s(self, runs: Collection[str]) -> Mapping[str, float]:
        """Return how many seconds ago each run's readers were last seen, or it began. Unknown ones are missing."""

    def expire(self, older_than_s: float, limit: int = 100) -> int:
        """Delete up to `limit` runs that ended longer ago, and lapsed leases without running runs.

        Returns the number of runs deleted: repeat the call while it is `limit`.
        """

    def now(self) -> float:
        """Return the time by the journal's clock, in seconds since 1970."""

    def close(self) -> None:
        """Close connections and threads. Runs and leases stay as they are."""
