"""What Claude models accept, by their names: thinking, effort, sampling parameters and a prefilled answer.

The names carry the line and the version, and later versions refuse what earlier ones took:
https://platform.claude.com/docs/en/build-with-claude/thinking. A name that says neither (a gateway's alias) is sent nothing
but what the caller asks for; what it refuses is then learned from the refusal.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from webapp.chat import Effort

Off = Literal["omitted", "disabled", "between_tools"]

_NAME = re.compile(r"claude-(?P<line>[a-z]+)-(?P<major>\d{1,2})(?:[-.](?P<minor>\d{1,2}))?(?!\d)")
_OLD_NAME = re.compile(r"claude-(?P<major>\d)(?:[-.](?P<minor>\d))?-(?P<line>[a-z]+)")
_ALWAYS_THINKING = re.compile(r"claude-(?:fable|mythos)\b")
_ALL = ("low", "medium", "high", "xhigh", "max")


class ClaudeModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a model accepts.

    `adaptive`: thinks as far as a question needs it, by `output_config.effort`; else by a budget of tokens, if `budgets`.
    `off`: how thinking is turned off, None where it is always on. `thinks`: whether it thinks unless it is turned off.
    `efforts`: the levels that `output_config.effort` takes. `token_scale`: how many more tokens a text has than with earlier
    models, whose tokens are what is estimated: about 30 % since 4.7.
    """

    adaptive: bool = True
    budgets: bool = False
    off: Off | None = "disabled"
    thinks: bool = True
    efforts: tuple[str, ...] = _ALL
    sampling: bool = False
    prefill: bool = False
    token_scale: float = 1.3

    @property
    def reasons(self) -> bool:
        """Whether the model can think at all."""
        return self.adaptive or self.budgets

    def nearest(self, effort: Effort) -> str:
        """Return the highest level that the model takes up to `effort`, or its lowest."""
        wanted = _ALL.index(effort)
        return next((name for name in reversed(_ALL[: wanted + 1]) if name in self.efforts), self.efforts[0])


UNKNOWN = ClaudeModel(thinks=False, off="omitted", sampling=True, prefill=True, token_scale=1.0)
_WITHOUT_THINKING = ClaudeModel(
    adaptive=False, off="omitted", thinks=False, efforts=(), sampling=True, prefill=True, token_scale=1.0
)
_WITH_BUDGET = ClaudeModel(
    adaptive=False,
    budgets=True,
    off="omitted",
    thinks=False,
    efforts=(),
    sampling=True,
    prefill=True,
    token_scale=1.0,
)


def find_claude_model(name: str) -> ClaudeModel | None:
    """Return what a model accepts, or None if its name says nothing about it."""
    if _ALWAYS_THINKING.search(name):
        return ClaudeModel(off=None)
    match = _NAME.search(name) or _OLD_NAME.search(name)
    if match is None:
        return None
    line, version = match["line"], (int(match["major"]), int(match["minor"] or 0))
    if version < (3, 7):
        return _WITHOUT_THINKING
    if version < (4, 6):
        return _WITH_BUDGET
    if version < (4, 7):
        return ClaudeModel(
            budgets=True,
            off="omitted",
            thinks=False,
            efforts=("low", "medium", "high", "max"),
            sampling=True,
            token_scale=1.0,
        )
    if version < (5, 0):
        return ClaudeModel(off="omitted", thinks=False)
    if version < (5, 5):
        return ClaudeModel()
    return {"opus": ClaudeModel(off=None), "sonnet": ClaudeModel(off="between_tools")}.get(
        line, ClaudeModel()
    )
