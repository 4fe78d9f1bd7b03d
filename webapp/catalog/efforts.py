"""How much models reason: the tokens that each effort may take, and the error for an effort that a model does not have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from webapp.catalog.rows import Model
from webapp.chat import Effort
from webapp.errors import InvalidRequest

# Tokens of reasoning. The levels are budgets that Anthropic's and Google's guides name for them; most questions need far fewer.
REASONING_TOKENS: Mapping[Effort, int] = {
    "none": 0,
    "low": 2_048,
    "medium": 8_192,
    "high": 16_384,
    "xhigh": 32_768,
    "max": 65_536,
}


def check_effort(model: Model, effort: Effort) -> None:
    """Raise `InvalidRequest` for an effort that a model is known not to have, unless it can be mapped: one that is too high."""
    if effort != "none":
        if model.reasoning is False:
            raise no_such_effort(model.name, reasons=False)
    elif model.efforts and "none" not in model.efforts:
        raise no_such_effort(model.name, reasons=True, efforts=model.efforts)


def reasoning_tokens(model: Model | None, effort: Effort | None) -> int:
    """Return how many tokens an answer may need for its reasoning, 0 where it does not reason; `effort` None is the model's own.

    Of an unknown model (None) nothing is assumed but what the effort asks for.
    """
    if model is not None and model.reasoning is False:
        return 0
    if effort is None:
        return REASONING_TOKENS["medium"] if model is not None and model.reasoning else 0
    if effort == "none" and model is not None and model.efforts and "none" not in model.efforts:
        effort = "low"  # it always reasons
    return REASONING_TOKENS[effort]


def no_such_effort(model: str, *, reasons: bool, efforts: Sequence[str] = ()) -> InvalidRequest:
    """Return the error for a model that does not reason, or that always does where `reasons`; `efforts` are those that it has."""
    if not reasons:
        reason = f"{model} does not reason: leave effort out."
    elif efforts:
        reason = f"{model} always reasons: effort must be one of {', '.join(efforts)}."
    else:
        reason = f"{model} always reasons: choose another effort than none."
    return InvalidRequest(reason, param="effort", code="unsupported_effort")
