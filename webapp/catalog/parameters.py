"""The parameters of OpenAI's API that each provider knows, beside those that `ModelRequest` has fields for.

A provider passes on what it knows, by its own names; anything else is refused by name before the call, unless its value
changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.errors import InvalidRequest

_SAMPLING = {"top_p", "presence_penalty", "frequency_penalty", "seed", "response_format"}
_COMMON = {"top_k", "min_p", "repetition_penalty"}  # of compatible servers; OpenAI itself refuses them
_OPENAI = (
    _SAMPLING
    | _COMMON
    | {"logit_bias", "verbosity", "prediction", "web_search_options", "service_tier", "store", "metadata"}
    | {"user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"}
)
_KNOWN: Mapping[str, frozenset[str]] = {
    "openai": frozenset(_OPENAI | {"logprobs", "top_logprobs"}),
    "anthropic": frozenset({"top_p", "top_k", "user", "service_tier"}),
    "ollama": frozenset(_SAMPLING | _COMMON),
    "mock": frozenset(_OPENAI),  # which plays no model, so that programs can be tried without one
}
# Values that mean the same as leaving the parameter out.
_NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "top_p": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "response_format": ({"type": "text"},),
    "top_k": (-1, 0),
    "min_p": (0,),
    "repetition_penalty": (1,),
    "logit_bias": ({},),
    "metadata": ({},),
    "store": (False,),
    "service_tier": ("auto", "default"),
    "verbosity": ("medium",),
    "user": ("",),
    "logprobs": (False,),
    "top_logprobs": (0,),
}


def select_known(provider: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a request's parameters that a provider knows."""
    known = _KNOWN.get(provider, frozenset())
    return {name: value for name, value in parameters.items() if name in known}


def check_known(provider: str, parameters: Mapping[str, Any]) -> None:
    """Check that a provider knows all parameters that change anything. Raises `InvalidRequest` that names the first other."""
    known = _KNOWN.get(provider, frozenset())
    for name, value in parameters.items():
        if name not in known and value not in _NEUTRAL.get(name, ()):
            raise InvalidRequest(
                f"{provider} does not support {name}: leave it out, or choose another provider.",
                param=name,
                code="unsupported_parameter",
            )
