"""How much an Ollama model can be asked to think: https://docs.ollama.com/capabilities/thinking.

`/api/show` says which values of `think` a model takes: true and false, or levels. A level that it does not have would silently
become its default.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence

from webapp.chat import Effort

Think = bool | str

_FRESH_S = 600.0
_RETRY_S = 60.0
_LEVELS = ("low", "medium", "high", "xhigh", "max")
_HAS_LEVELS = re.compile(r"gpt-oss", re.I)


class ThinkingValues:
    """The values of `think` that one model takes, asked for when they are first needed and then every ten minutes.

    `ask` returns them, or None where the server does not say. Thread-safe.
    """

    def __init__(
        self,
        model_name: str,
        ask: Callable[[], Sequence[Think] | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Servers from before the values were told: most models only know whether to think.
        self._usual: Sequence[Think] = _LEVELS[:3] if _HAS_LEVELS.search(model_name) else (True, False)
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._values: Sequence[Think] = ()
        self._until: float | None = None

    def choose(self, effort: Effort) -> tuple[Think | None, bool]:
        """Return the value for an effort, None to send none, and whether the model can do what is asked."""
        return choose_think(effort, self._get())

    def _get(self) -> Sequence[Think]:
        with self._lock:
            if self._until is not None and self._clock() < self._until:
                return self._values
        values = self._ask()
        with self._lock:
            self._values = self._usual if values is None else values
            self._until = self._clock() + (_RETRY_S if values is None else _FRESH_S)
            return self._values


def choose_think(effort: Effort, values: Sequence[Think]) -> tuple[Think | None, bool]:
    """Return the value of `think` that comes nearest to an effort, and whether it is what is asked."""
    levels = [name for name in _LEVELS if name in values]
    if effort == "none":
        if False in values or not values:
            return False, True
        return (levels[0] if levels else None), False
    if levels:
        below = [name for name in levels if _LEVELS.index(name) <= _LEVELS.index(effort)]
        return (below[-1] if below else levels[0]), True
    return (True, True) if True in values else (None, False)
