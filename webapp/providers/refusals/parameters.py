"""The parts of a request's body that can be left out, and which of them a provider's refusal names.

A refusal is recognised in any wording that names the parameter, because servers word it differently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from webapp.errors import UpstreamError

_STATUSES = (400, 422)
_OTHER_STATUSES = (413, 429, 500, 501)  # of errors that are refusals by their words
_REFUSES = re.compile(
    r"\b(?:not|cannot|can't|doesn't|don't|isn't|aren't|no|without|un(?:supported|recogni[sz]ed|known|expected|available)|"
    r"deprecated|removed|invalid|incompatible|disabled|forbidden|disallowed|prohibited|reject(?:ed|s)|refused|ignored|"
    r"extra|only|remove|omit|unset)\b",
    re.I,
)
# Names that are ordinary words, too: a text that has one need not refuse it.
_ORDINARY = frozenset(
    [
        "effort",
        "format",
        "metadata",
        "name",
        "prediction",
        "reasoning",
        "seed",
        "stop",
        "store",
        "summaries",
        "system",
        "think",
        "thinking",
        "tools",
        "user",
    ]
)
# Parameters whose values are words of the API. A value that is an ordinary word counts only in quotes or as the first word.
_ENUMERATIONS = ("service_tier", "verbosity", "effort", "reasoning_effort", "prompt_cache_retention")
_ORDINARY_VALUES = ("auto", "default", "high", "low", "max", "medium", "minimal", "none", "priority", "scale")
_OTHER_SCRIPT = re.compile("[\u0400-\u1fff\u2e80-\uffef]")
_SENTENCE_END = re.compile(r"[.!?;\n](?=\s|$)")
_EXCLUSIVE = re.compile(
    r"\b(?:both|simultaneously|together|at the same time|mutually|only one|either)\b", re.I
)


class Parameter(msgspec.Struct, frozen=True):
    """A part of a request's body that can be left out.

    `path` is where it stands, `temperature` or `options.stop`. `name` is what the caller calls it, "" if the caller did not
    set it: its loss is then not reported. `words` are further names that a refusal may use.
    """

    path: str
    name: str = ""
    words: tuple[str, ...] = ()

    def is_in(self, body: Mapping[str, Any]) -> bool:
        """Return whether a request's body has it."""
        holder: Any = body
        for part in self.path.split("."):
            if not isinstance(holder, Mapping) or part not in holder:
                return False
            holder = holder[part]
        return True

    def value_in(self, body: Mapping[str, Any]) -> object:
        """Return its value in a request's body, None if it is not there."""
        holder: Any = body
        for part in self.path.split("."):
            holder = holder.get(part) if isinstance(holder, Mapping) else None
        return holder

    def remove_from(self, body: dict[str, Any]) -> bool:
        """Remove it from a request's body; return whether it was there. Objects left empty are removed too."""
        *parents, last = self.path.split(".")
        holder: Any = body
        chain = []
        for parent in parents:
            chain.append((holder, parent))
            holder = holder.get(parent)
            if not isinstance(holder, dict):
                return False
        if last not in holder:
            return False
        del holder[last]
        for outer, key in reversed(chain):
            if not outer[key]:
                del outer[key]
        return True


def caller_parameters(names: Iterable[str]) -> tuple[Parameter, ...]:
    """Return parameters that stand in the body under the name that the caller uses."""
    return tuple(Parameter(name, name) for name in names)


def is_refusal(error: UpstreamError) -> bool:
    """Return whether a provider refuses a request that may be accepted when it is changed."""
    return error.status in _STATUSES or (
        error.code == "upstream_bad_request" and error.status in _OTHER_STATUSES
    )


def find_refused(error: UpstreamError, parameters: Sequence[Parameter]) -> list[Parameter]:
    """Return those parameters of a request that the provider's refusal names. `reason` begins with the field it blames."""
    blamed, _, text = error.reason.partition("\n")
    if blamed:
        found = [each for each in parameters if any(_is_blamed(blamed, word) for word in _words(each))]
        if found:
            return found
    positions = {each: max(_position(text, word) for word in _words(each)) for each in parameters}
    found = sorted((each for each in parameters if positions[each] >= 0), key=positions.__getitem__)
    # One of two that exclude each other is enough.
    return found[-1:] if len(found) > 1 and _EXCLUSIVE.search(text) else found


def find_refused_value(
    error: UpstreamError, parameters: Sequence[Parameter], body: Mapping[str, Any]
) -> list[Parameter]:
    """Return the only parameter whose value a refusal names instead of it: "flex is not available for this model"."""
    text = error.reason
    enumerations = [each for each in parameters if each.path.rpartition(".")[2] in _ENUMERATIONS]
    found = [each for each in enumerations if _refuses_value(text, each.value_in(body))]
    return found if len(found) == 1 else []


def _refuses_value(text: str, value: object) -> bool:
    if not isinstance(value, str) or not value:
        return False
    for found in re.finditer(rf"(?<![\w/-]){re.escape(value)}(?![\w/-])", text, re.I):
        before, after = text[: found.start()], text[found.end() :]
        is_marked = value not in _ORDINARY_VALUES or _is_quoted(before, after) or not before.strip()
        if is_marked and _REFUSES.search(_sentence(before, after)):
            return True
    return False


def _words(parameter: Parameter) -> tuple[str, ...]:
    last = parameter.path.rpartition(".")[2]
    return tuple(dict.fromkeys((parameter.path, last, *parameter.words, *filter(None, (parameter.name,)))))


def _is_blamed(blamed: str, word: str) -> bool:
    """Return whether one of several paths, such as `body.stop` or `reasoning.effort`, names a parameter."""
    wanted = word.split(".")
    for path in blamed.split():
        parts = re.split(r"[.\[\]/]+", path.strip("$.[]'\""))
        if any(parts[at : at + len(wanted)] == wanted for at in range(len(parts))):
            return True
    return False


def _position(text: str, word: str) -> int:
    """Return where a text refuses a parameter, -1 if it does not.

    A name that is also an ordinary word counts only in quotes, or in a sentence that refuses something, as far as the sentence
    is English.
    """
    pattern, is_ordinary = re.escape(word), word.lower() in _ORDINARY
    if "_" in word:  # in camel case, with other separators, in the plural
        pattern = re.sub("y$", "(?:y|ies)", pattern.replace("_", "[_ -]?")) + "s?"
    # A longer path is a part of the parameter, except of names that have other meanings.
    end = r"(?![\w/-]|\.\w)" if is_ordinary or "." in word else r"(?![\w/-])"
    for found in re.finditer(rf"(?<![\w/-]){pattern}{end}", text, re.I):
        before, after = text[: found.start()], text[found.end() :]
        is_marked = not is_ordinary or _OTHER_SCRIPT.search(text) or _is_quoted(before, after)
        if is_marked or _REFUSES.search(_sentence(before, after)):
            return found.start()
    return -1


def _is_quoted(before: str, after: str) -> bool:
    quotes = "'\"`‘’“”*"
    return before[-1:] in quotes and after[:1] in quotes if before and after else False


def _sentence(before: str, after: str) -> str:
    """Return the sentence around a word. The full stop of a number or a model's name does not end it."""
    return f"{_SENTENCE_END.split(before)[-1]} {_SENTENCE_END.split(after)[0]}"
