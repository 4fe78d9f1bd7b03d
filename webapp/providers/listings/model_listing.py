"""Keeps a provider's list of models: asked for in the background, kept for ten minutes, and used while it is renewed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from webapp.catalog.listing import ListedModel
from webapp.errors import AnswerError, Stopped
from webapp.providers.base import CallControl
from webapp.seams import Control, ListingState

log_ = logging.getLogger("freshet.providers")

FRESH_S = 600.0
RETRY_S = 60.0
STALE_S = 3_600.0
TOTAL_S = 10.0
_POLL_S = 0.02

Fetch = Callable[[Control], Iterator[list[ListedModel]]]


class ModelListing:
    """The models that one provider lists. Thread-safe; nothing is asked before the first `get`.

    `fetch` yields the models, perhaps more than once with more known of them; `on_change` is called with each.
    """

    def __init__(
        self,
        provider: str,
        fetch: Fetch,
        on_change: Callable[[Sequence[ListedModel]], None],
        total_s: float = TOTAL_S,
    ) -> None:
        self._provider = provider
        self.fetch_json = fetch
        self._on_change = on_change
        self._total_s = total_s
        self._lock = threading.Lock()
        self._models: tuple[ListedModel, ...] = ()
        self._listed_at = 0.0
        self._next_at = 0.0
        self._is_asking = False
        self._was_asked = False
        # Set once all is known of the first answer, or after the first failure.
        self._answered = threading.Event()
        self._reported = ""

    @property
    def state(self) -> ListingState:
        """See `seams.ModelGroup`."""
        if self._models:
            return "listed"
        return "pending" if self._is_asking and not self._was_asked else "unavailable"

    def peek(self) -> Sequence[ListedModel]:
        """Return the listed models, none if there are none yet. Asks nothing."""
        return self._models

    def get(self, wait_s: float = 0.0, control: Control | None = None) -> Sequence[ListedModel]:
        """Return the listed models, none if there are none; ask for them in the background where it is time to.

        Waits at most `wait_s`, and only while the provider has never answered. With `control`, raises `Stopped`.
        """
        self._refresh()
        if wait_s > 0 and not self._was_asked:
            self._wait(wait_s, control)
        return self._models

    def _wait(self, wait_s: float, control: Control | None) -> None:
        if control is None:
            self._answered.wait(wait_s)
            return
        until = time.monotonic() + wait_s
        while not self._answered.is_set() and time.monotonic() < until:
            control.wait(_POLL_S)

    def _refresh(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._is_asking or now < self._next_at:
                return
            self._is_asking = True
            self._next_at = now + RETRY_S
        threading.Thread(target=self._ask, name="freshet-models", daemon=True).start()

    def _ask(self) -> None:
        control = CallControl()
        timer = threading.Timer(self._total_s, control.stop)
        timer.daemon = True
        timer.start()
        try:
            found = False
            for models in self.fetch_json(control):
                found = found or bool(models)
                self._keep(models)
            if not found:
                self._forget()
        except (AnswerError, Stopped) as error:
            self._report(_reason(error))
            self._forget(after_s=STALE_S)
        except Exception:  # the thread's last handler: a bug must not leave first questions waiting
            log_.exception("the models that %s lists could not be read", self._provider)
            self._forget(after_s=STALE_S)
        finally:
            timer.cancel()
            with self._lock:
                self._is_asking, self._was_asked = False, True
            self._answered.set()

    def _report(self, reason: str) -> None:
        """Log why there is no list, once for each reason: it is tried again every minute."""
        if reason != self._reported:
            self._reported = reason
            log_.info("%s does not list its models: %s", self._provider, reason)

    def _keep(self, models: list[ListedModel]) -> None:
        if not models:
            return
        kept = tuple(models)
        self._on_change(kept)  # first, so that what is known of a model is there when its name is
        with self._lock:
            self._models = kept
            self._listed_at = time.monotonic()
            self._next_at = self._listed_at + FRESH_S

    def _forget(self, after_s: float = 0.0) -> None:
        """Drop the models if they are older than `after_s`: a provider that is away for a moment still has them."""
        with self._lock:
            if not self._models or time.monotonic() - self._listed_at < after_s:
                return
            self._models = ()
        self._on_change(())


def _reason(error: AnswerError | Stopped) -> str:
    if isinstance(error, Stopped):
        return "it took too long"
    detail = getattr(error, "detail", "")
    return f"{error.code} {detail}".strip()
