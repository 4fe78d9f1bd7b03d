"""Finds the longest answer that fits, from a refusal of a `max_tokens` that is too large for the model or its window.

What a refusal shows is kept as an `AnswerLimit`, with which the next call is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from webapp.errors import UpstreamError

LEAVE_OUT = 0
_NUMBER = r"[`'\"]?(\d[\d,_]*)[`'\"]?"
_IS_ABOUT_LIMIT = re.compile(
    r"max\w*[ _-]?(new_|output_|completion_|number of )?tokens|num_predict|completion tokens|output tokens|"
    r"(context|sequence).{0,10}(length|window|limit|size)|too many tokens|string_above_max|too long|(tokens?|request)\b.{0,20} too large",
    re.I,
)
# The longest answer, whatever the question's length.
_LONGEST_ANSWER = (
    rf"at most {_NUMBER} (?:completion|output)",
    rf">\s*{_NUMBER},? which is the maximum (?:allowed )?(?:number of )?(?:output|completion)",
    rf"max\w*tokens\W{{0,3}} (?:must|should|has to|needs to) be (?:<=|≤|less than or equal to|at most|no more than|lower than)\s*{_NUMBER}",
    rf"(?:less than or equal to|at most|<=|no more than)\s*{_NUMBER}",
    rf"valid range of max\w*tokens is \[?\d+, ?{_NUMBER}",
    rf"(?:maximum|max\.?|limit)[^.\d]{{0,30}}(?:output|completion) tokens?[^.\d]{{0,20}}{_NUMBER}",
    rf"range\b[^\[\d]{{0,60}}\d+(?: \(inclusive\))?(?:,| to| and) ?{_NUMBER}(?!\d| ?\(exclusive)",
    rf"(?:between \d+ and|\[\d+,) ?{_NUMBER}",
    rf"(?:cannot be (?:greater|larger|more) than|not exceed|exceeds?|不能超过)\b[^\d]{{0,60}}{_NUMBER}",
    rf"(?:max(?:imum)?|limit)(?: tokens)? (?:is|of|for this model:) {_NUMBER}",
    rf"tokens\W{{0,2}} ?> ?{_NUMBER}",
    rf"supports? (?:a maximum of |up to |only )?{_NUMBER} (?:output|completion)",
)
# One more than the longest answer.
_TOO_LONG_ANSWER = (
    rf"range\b[^\d]{{0,60}}\d+(?: \(inclusive\))?(?:,| to) ?{_NUMBER} ?\(exclusive",
    rf"(?:less|lower) than {_NUMBER}",
)
_SHORTEST_ANSWER = (rf"(?:>=|≥|at least|greater than or equal to|minimum (?:value )?(?:is|of)) ?{_NUMBER}",)
_MAX_SHORTEST = 1_024
# The window that the question and the answer share.
_WINDOW = (
    rf"\d\s*\+\s*\d[\d,_]*\s*>\s*{_NUMBER}",
    rf"inputs?\W{{0,3}} tokens \+ \W?max_new_tokens\W? must be <= {_NUMBER}",
    rf"(?:context|sequence)[^.\d]{{0,20}}(?:length|window|limit|size)[^.\d]{{0,40}}{_NUMBER}",
    rf"{_NUMBER}[ -]tokens? (?:context|limit|window)",
    rf"(?:max_model_len|max_total_tokens|n_ctx|num_ctx)\W{{0,3}}{_NUMBER}",
    rf"limit:? {_NUMBER},? requested",  # the tokens of a minute, which an answer's limit uses up
)
_INPUT = (
    rf"{_NUMBER}\s*\+\s*\d[\d,_]*\s*>",
    rf"{_NUMBER} (?:\W?inputs?\W? tokens?|tokens? )?(?:in|of|from) (?:the |your |text )*(?:messages?|prompt|inputs?)",
    rf"{_NUMBER} (?:input|prompt|\W?inputs\W?) tokens",
    rf"(?:prompt|inputs?|messages|request)\b[^.\d]{{0,40}}{_NUMBER} tokens",
    rf"(?:prompt|inputs?|messages|request)\b[^.\d]{{0,20}}(?:resulted in|ha[sd]|have|is|are|of|contains?) {_NUMBER}",
)
_TOTAL = (rf"limit:? \d[\d,_]*,? requested:? {_NUMBER}",)
_MARGIN = 1.25  # on an estimate of the question's tokens
_SPARE_TOKENS = 64


class AnswerLimit(msgspec.Struct, frozen=True, kw_only=True):
    """What a refusal has shown of the longest answer, in tokens; None means that it has not.

    `longest`: of any answer. `window`: of the question and the answer together. `refused`: a limit that the model refuses without
    saying what it accepts.
    """

    longest: int | None = None
    window: int | None = None
    refused: int | None = None

    def fit(self, max_tokens: int, input_tokens: int) -> int:
        """Return the limit to send where `max_tokens` is wanted, or `LEAVE_OUT`; `input_tokens` is an estimate of the question's.

        For a question that fills the window by itself this is `max_tokens`: the provider says so better than an estimate.
        """
        if self.refused is not None and max_tokens >= self.refused:
            return LEAVE_OUT
        limits = [max_tokens]
        if self.longest is not None:
            limits.append(self.longest)
        if self.window is not None:
            limits.append(self.window - _estimated_use(input_tokens))
        return min(limits) if min(limits) >= 1 else max_tokens


def learn_limit(error: UpstreamError, max_tokens: int, fitting: int) -> AnswerLimit | None:
    """Return what a refusal of `max_tokens` shows, if the call succeeds with `fitting`; None where that is a guess or nothing of it.

    Args:
        error: The refusal.
        max_tokens: The refused limit.
        fitting: What `fit_answer` returned for it.
    """
    if fitting == LEAVE_OUT:
        return AnswerLimit(refused=max_tokens)
    if fitting >= max_tokens:
        return None  # it was too short
    window = _find(_WINDOW, error.reason)
    if window is None:
        return AnswerLimit(longest=fitting)
    return None if fitting == max_tokens // 2 else AnswerLimit(window=window)


def _estimated_use(input_tokens: int) -> int:
    """Return how much of a window a question is taken to use: rather too much than too little."""
    return int(input_tokens * _MARGIN) + _SPARE_TOKENS


def fit_answer(error: UpstreamError, max_tokens: int, input_tokens: int) -> int | None:
    """Return another limit for the answer with which a refused call may succeed, or `LEAVE_OUT` for a call without one.

    `max_tokens` is the refused limit, `input_tokens` an estimate of the question's tokens. Returns None if the refusal is about
    something else, or if the question itself is too long.
    """
    text = error.reason
    if not _IS_ABOUT_LIMIT.search(text):
        return None
    window = _find(_WINDOW, text)
    if window is not None:
        exact = _exact_input(text, max_tokens)
        used = exact if exact is not None else _estimated_use(input_tokens)
        fitting = window - used
        if fitting >= 1:
            # A server that counts the question differently, or names the limit of something else, refuses the same again.
            return fitting if fitting < max_tokens else max(1, max_tokens // 2)
        return None
    shortest = _find(_SHORTEST_ANSWER, text)
    if shortest is not None and max_tokens < shortest <= _MAX_SHORTEST:
        return shortest
    for longest in _find_all(_LONGEST_ANSWER, text):
        if 1 <= longest < max_tokens:
            return longest
    for too_long in _find_all(_TOO_LONG_ANSWER, text):
        if 1 < too_long <= max_tokens:
            return too_long - 1
    return LEAVE_OUT


def _exact_input(text: str, max_tokens: int) -> int | None:
    """Return the question's tokens, if a refusal tells them or their sum with the answer's."""
    exact = _find(_INPUT, text)
    if exact is None:
        exact = _difference(text, max_tokens)
    total = _find(_TOTAL, text)
    return total - max_tokens if exact is None and total is not None and total > max_tokens else exact


def _find(patterns: tuple[str, ...], text: str) -> int | None:
    return next(_find_all(patterns, text), None)


def _find_all(patterns: tuple[str, ...], text: str) -> Iterator[int]:
    """Yield the number that each of the patterns finds."""
    for pattern in patterns:
        found = re.search(pattern, text, re.I)
        if found is not None:
            yield int(re.sub(r"\D", "", found[1])[:12])


def _difference(text: str, max_tokens: int) -> int | None:
    """Return the question's tokens where the text has only their sum with the answer's."""
    numbers = {int(re.sub(r"\D", "", raw)[:12]) for raw in re.findall(r"\d[\d,_]*", text)}
    differences = [number - max_tokens for number in numbers if number - max_tokens > 0]
    return next((each for each in sorted(differences) if each in numbers), None)
