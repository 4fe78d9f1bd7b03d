"""What OpenAI's models accept, by their names: the dialect, efforts and sampling parameters.

Unknown names, which compatible servers and gateways have, are sent whatever the caller asks for: what they refuse is learned from
the refusal; see `refusals/`.
"""

from __future__ import annotations

import re

_GPT = re.compile(r"(?:^|[/:])gpt-(\d+)(?:\.(\d+))?(?![\d.])")  # ft:gpt-4.1:…, and a gateway's openai/gpt-5
_O_SERIES = re.compile(r"(?:^|[/:])o\d+(?![\d.])")
_CHAT_VARIANT = re.compile(r"-chat(?:-|$)")  # answers as ChatGPT does, without reasoning
_ONLY_RESPONSES = re.compile(r"codex|deep-research|-pro(?:-|$)")
_FIRST_REASONING = (5, 0)
_FIRST_WITH_NONE = (5, 1)  # can be told not to reason
_FIRST_WITH_XHIGH = (5, 2)
_FIRST_FOR_RESPONSES = (5, 4)  # from here on Chat Completions refuses some requests


def _gpt_version(model: str) -> tuple[int, int] | None:
    found = _GPT.search(model)
    return None if found is None else (int(found[1]), int(found[2] or 0))


def needs_responses(model: str) -> bool:
    """Return whether OpenAI serves a model of this name by the Responses API alone, or better than by Chat Completions."""
    if _ONLY_RESPONSES.search(model):
        return True
    version = _gpt_version(model)
    if version is None or _CHAT_VARIANT.search(model):
        return False
    return version >= _FIRST_FOR_RESPONSES


def is_reasoning_model(model: str) -> bool:
    """Return whether a model of OpenAI's reasons before it answers, by its name."""
    version = _gpt_version(model)
    if version is not None and version >= _FIRST_REASONING:
        return not _CHAT_VARIANT.search(model)
    return bool(_O_SERIES.search(model)) or "codex" in model


def can_be_told_not_to_reason(model: str) -> bool:
    """Return whether a model of OpenAI's is of a version that has the effort `none`, by its name."""
    version = _gpt_version(model)
    return version is not None and version >= _FIRST_WITH_NONE


class ModelRules:
    """What Chat Completions accept for a model, as far as its name shows it.

    `is_own` is whether OpenAI itself serves the model, `reasons` whether the table of models says that it reasons.
    """

    def __init__(self, model: str, *, is_own: bool, reasons: bool = False) -> None:
        has_rules = is_own and not _CHAT_VARIANT.search(model)
        self.is_own = is_own
        self._is_o_series = has_rules and bool(_O_SERIES.search(model))
        self._version = _gpt_version(model) if has_rules else None
        is_new_gpt = self._version is not None and self._version >= _FIRST_REASONING
        self.reasons = is_own and (self._is_o_series or is_new_gpt or reasons)
        self.is_known = self._is_o_series or self._version is not None

    def map_effort(self, effort: str) -> str | None:
        """Return the effort as Chat Completions names it; None if the model cannot be asked for it."""
        if not self.is_own:
            return effort
        if not self.reasons:
            return None if self.is_known else effort
        if self._is_o_series:
            return None if effort == "none" else "high" if effort in ("xhigh", "max") else effort
        if self._version is not None and self._version < _FIRST_WITH_NONE:
            return {"none": "minimal", "xhigh": "high", "max": "high"}.get(effort, effort)
        if self._version is not None and self._version < _FIRST_WITH_XHIGH:
            return {"xhigh": "high", "max": "high"}.get(effort, effort)
        return "xhigh" if effort == "max" else effort

    def has_effort(self, effort: str) -> bool:
        """Return whether the model can reason as asked, or as near to it as it is known to; one that does not reason has `none`."""
        return self.map_effort(effort) is not None or (effort == "none" and not self.reasons)

    def accepts_sampling(self, effort: str | None) -> bool:
        """Return whether the model accepts a temperature and its like."""
        return not self.reasons or (
            effort == "none" and self._version is not None and self._version >= _FIRST_WITH_NONE
        )
