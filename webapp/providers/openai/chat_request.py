"""Builds the requests of OpenAI's Chat Completions API, and adapts them to what a model or a compatible server refuses.

OpenAI's own reasoning models have rules of their own. For any other model everything is sent that the caller set: what a server
refuses is left out, see `refusals/`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from webapp.chat import ImagePart, ModelMessage, ModelRequest, TextPart, estimate_input_tokens
from webapp.errors import UpstreamError
from webapp.providers.continuing import REFUSED_PREFILL, continuation
from webapp.providers.openai.models import ModelRules
from webapp.providers.refusals.answer_limit import LEAVE_OUT, fit_answer, learn_limit
from webapp.providers.refusals.parameters import Parameter
from webapp.providers.refusals.request_body import RequestBody
from webapp.providers.turns import fold_system, merge_turns

# What reasoning models accept only without reasoning, and what they never accept, with the defaults that need no notice.
_SAMPLING = {"temperature": 1, "top_p": 1, "logprobs": False, "top_logprobs": None}
_PENALTIES = {"frequency_penalty": 0, "presence_penalty": 0, "logit_bias": None}
_RESERVED = frozenset(
    {"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "n"}
)
# Other words for parameters, in refusals.
_OTHER_WORDS = {
    "presence_penalty": ("penalties",),
    "frequency_penalty": ("penalties",),
    "repetition_penalty": ("penalties", "repeat_penalty"),
    "prediction": ("predicted outputs", "predicted_outputs"),
    "response_format": ("json_schema", "structured_outputs", "json_mode"),
    "web_search_options": ("web_search",),
}
_LIMITS = ("max_tokens", "max_completion_tokens")
_USE_OTHER_LIMIT = re.compile(
    r"max_completion_tokens\W{0,3}(?:instead|rather)|use \W{0,3}max_completion_tokens", re.I
)
_UNKNOWN = re.compile(
    r"unsupported|not (?:supported|permitted|allowed)|un(?:recogni[sz]ed|known|expected)|extra", re.I
)
_DEVELOPER_ROLE = re.compile(r"\bdeveloper\b", re.I)
_SYSTEM_ROLE = re.compile(
    r"\bsystem\b.{0,20}\b(?:role|message|prompt|instruction)|\brole\b.{0,30}\bsystem\b|\bdeveloper instruction|"
    r"\broles?\b[\s\S]{0,80}\buser\W+(?:and |or )?\W?assistant|\buser and assistant roles|start with a user\b",
    re.I,
)
# The words by which `RefusedParameters` remembers refusals that are not about a parameter.
OTHER_LIMIT = "other limit"
SYSTEM_ROLE = "system role"
NO_SYSTEM = "no system"
NO_PREFILL = "no prefill"
HIGH_EFFORT = "high"


class ChatRequest(RequestBody):
    """The body of one call. `max_tokens` is the limit of the answer, or `LEAVE_OUT`; `refused` is what the model is known to refuse."""

    def __init__(
        self,
        request: ModelRequest,
        model: str,
        max_tokens: int,
        rules: ModelRules,
        refused: Collection[str] = (),
    ) -> None:
        self._messages: list[ModelMessage] = merge_turns(request.messages)
        self._max_tokens = max_tokens
        self._input_tokens = estimate_input_tokens(request)
        self._system_role = "developer" if rules.reasons and SYSTEM_ROLE not in refused else "system"
        if NO_SYSTEM in refused:
            self._messages = fold_system(self._messages)
        if NO_PREFILL in refused:
            self._replace_prefill()
        body: dict[str, Any] = {
            "model": model,
            "messages": [],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if max_tokens != LEAVE_OUT:
            body[_LIMITS[rules.reasons or OTHER_LIMIT in refused]] = max_tokens
        super().__init__(body)
        self._encode_messages()
        self._add_parameters(request, rules, HIGH_EFFORT in refused)
        self.parameters = self._find_removable()

    def _find_removable(self) -> list[Parameter]:
        """Return the parameters that can be left out of the body."""
        own = ("model", "messages", "stream", "stream_options", "reasoning_effort", "stop", *_LIMITS)
        return [
            Parameter("stream_options"),
            Parameter(
                "reasoning_effort",
                "effort",
                (
                    "reasoning.effort",
                    "effort",
                    "reasoning",
                    "think",
                    "thinking",
                    "thinking_config",
                    "thinking_budget",
                    "thinking_level",
                ),
            ),
            Parameter("stop", "stop", ("stop_sequences", "stop_sequence", "stop_words")),
            *(Parameter(name, name, _OTHER_WORDS.get(name, ())) for name in self.body if name not in own),
        ]

    def change(self, error: UpstreamError) -> str | None:
        """Change the limit, the roles or the effort after a refusal; see `RequestBody`."""
        text = error.reason
        for change in (self._change_limit, self._change_roles, self._change_effort):
            word = change(text, error)
            if word is not None:
                return word
        return None

    def _add_parameters(self, request: ModelRequest, rules: ModelRules, is_effort_limited: bool) -> None:
        given = {name: value for name, value in request.parameters.items() if value is not None}
        named_effort = given.pop("reasoning_effort", None)
        asked = request.effort or (named_effort if isinstance(named_effort, str) else None)
        effort = rules.map_effort(asked) if asked is not None else None
        if asked is not None and not rules.has_effort(asked):
            self.ignored.append("effort")
        if effort is not None:
            self.body["reasoning_effort"] = (
                "high" if is_effort_limited and effort in ("xhigh", "max") else effort
            )
        if request.temperature is not None:
            given["temperature"] = request.temperature
        if request.stop:
            given["stop"] = list(request.stop)
        if request.seed is not None:
            given["seed"] = request.seed
        if rules.reasons:
            self._leave_out(given, _PENALTIES)
        if not rules.accepts_sampling(effort):
            self._leave_out(given, _SAMPLING)
        self.body |= {name: value for name, value in given.items() if name not in _RESERVED}

    def _leave_out(self, given: dict[str, Any], defaults: dict[str, Any]) -> None:
        for name, default in defaults.items():
            if name in given and given.pop(name) != default:
                self.ignored.append(name)

    def _change_limit(self, text: str, error: UpstreamError) -> str | None:
        body = self.body
        if "max_tokens" in body and _USE_OTHER_LIMIT.search(text):
            body["max_completion_tokens"] = body.pop("max_tokens")
            return OTHER_LIMIT
        if "max_completion_tokens" in body and "max_completion_tokens" in text and _UNKNOWN.search(text):
            body["max_tokens"] = body.pop("max_completion_tokens")
            return ""
        limit = next((name for name in _LIMITS if name in body), None)
        if limit is None:
            return None
        fitting = fit_answer(error, body[limit], self._input_tokens)
        if fitting is None:
            return None
        # Once with what fits; if that is refused too, without a limit.
        if fitting == LEAVE_OUT or body[limit] != self._max_tokens:
            del body[limit]
            fitting = LEAVE_OUT
        else:
            body[limit] = fitting
        self.learned_limit = learn_limit(error, self._max_tokens, fitting)
        return ""

    def _change_roles(self, text: str, _error: UpstreamError) -> str | None:
        roles = {message.role for message in self._messages}
        if "system" in roles and self._system_role == "developer" and _DEVELOPER_ROLE.search(text):
            self._system_role = "system"
            self._encode_messages()
            return SYSTEM_ROLE
        if "system" in roles and _SYSTEM_ROLE.search(text):
            self._messages = fold_system(self._messages)
            self._encode_messages()
            return NO_SYSTEM
        if REFUSED_PREFILL.search(text) and self._replace_prefill():
            self._encode_messages()
            return NO_PREFILL
        return None

    def _change_effort(self, text: str, _error: UpstreamError) -> str | None:
        """Ask for less reasoning where the highest efforts are unknown."""
        if self.body.get("reasoning_effort") in ("xhigh", "max") and re.search(r"effort|xhigh|\bmax\b", text):
            self.body["reasoning_effort"] = "high"
            return HIGH_EFFORT
        return None

    def _replace_prefill(self) -> bool:
        """Ask for the rest of an answer that is to be continued, instead of beginning it; return whether there is one."""
        if self._messages[-1].role != "assistant":
            return False
        self._messages = continuation(self._messages)
        return True

    def _encode_messages(self) -> None:
        self.body["messages"] = [
            _encode_message(message, self._system_role if message.role == "system" else message.role)
            for message in self._messages
        ]


def _encode_message(message: ModelMessage, role: str) -> dict[str, Any]:
    name = {"name": message.name} if message.name else {}
    if isinstance(message.content, str):
        return {"role": role, **name, "content": message.content}
    return {"role": role, **name, "content": [_encode_part(part) for part in message.content]}


def _encode_part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    url = part.url or f"data:{part.media_type};base64,{part.data}"
    detail = {"detail": part.detail} if part.detail else {}
    return {"type": "image_url", "image_url": {"url": url, **detail}}
