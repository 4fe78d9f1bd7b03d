"""Remembers what models refuse: it changes with every generation of models, so no table says it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from webapp.providers.refusals.answer_limit import AnswerLimit

_REMEMBERED_S = 3600.0
_MAX_MODELS = 1_000
_MAX_NAMES = 64


class RefusedParameters:
    """Remembers per model what it refuses, for an hour, of at most a thousand models. Thread-safe.

    `model` is any key: a provider's name, its address and the model. What is remembered are paths of `Parameter`, or words of
    a provider's own for other changes of the body.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[tuple[str, ...], dict[str, float]] = {}
        self._limits: dict[tuple[str, ...], tuple[AnswerLimit, float]] = {}

    def recall(self, model: tuple[str, ...]) -> frozenset[str]:
        """Return what a model refuses."""
        with self._lock:
            known = self._until.get(model)
            if not known:
                return frozenset()
            now = self._clock()
            return frozenset(name for name, until in known.items() if until > now)

    def remember(self, model: tuple[str, ...], names: Iterable[str]) -> None:
        """Remember that a model refuses these."""
        until = self._clock() + _REMEMBERED_S
        with self._lock:
            known = self._until.pop(model, {})
            for name in names:
                if name in known or len(known) < _MAX_NAMES:
                    known[name] = until
            if known:
                # As the last one: the model that was refused longest ago is forgotten first.
                self._until[model] = known
            _drop_oldest(self._until)

    def recall_limit(self, model: tuple[str, ...]) -> AnswerLimit | None:
        """Return what is known of the longest answer of a model, or None."""
        with self._lock:
            limit, until = self._limits.get(model, (None, 0.0))
            return limit if self._clock() < until else None

    def remember_limit(self, model: tuple[str, ...], limit: AnswerLimit) -> None:
        """Remember what a refusal has shown of the longest answer of a model, instead of what was known before."""
        with self._lock:
            self._limits.pop(model, None)
            self._limits[model] = (limit, self._clock() + _REMEMBERED_S)
            _drop_oldest(self._limits)


def _drop_oldest(by_model: dict[tuple[str, ...], Any]) -> None:
    while len(by_model) > _MAX_MODELS:
        del by_model[next(iter(by_model))]
