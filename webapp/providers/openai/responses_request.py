"""Builds the requests of OpenAI's Responses API, and adapts them to what a model refuses."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from webapp.chat import ImagePart, ModelMessage, ModelRequest, TextPart, estimate_input_tokens
from webapp.errors import UpstreamError
from webapp.providers.openai.models import can_be_told_not_to_reason
from webapp.providers.refusals.answer_limit import LEAVE_OUT, fit_answer, learn_limit
from webapp.providers.refusals.parameters import Parameter, caller_parameters, find_refused
from webapp.providers.refusals.request_body import RequestBody
from webapp.providers.turns import merge_turns

_MIN_OUTPUT_TOKENS = 16  # fewer are refused
_PARAGRAPH = "\n\n"

_PASSED_ON = (
    *("metadata", "user", "safety_identifier", "service_tier", "prompt_cache_key"),
    *("prompt_cache_retention", "prompt_cache_options"),
)
_DEFAULTS = {"n": 1, "logprobs": False, "store": False, "frequency_penalty": 0, "presence_penalty": 0}
_EFFORT = Parameter("reasoning.effort", "effort", ("reasoning_effort", "effort"))
# The words by which `RefusedParameters` remembers the efforts that a model does not have.
_REFUSED_EFFORTS = {"none": "no effort none", "xhigh": "no high effort", "max": "no high effort"}
_NO_REASONING = "reasoning"
_PARAMETERS = (
    *caller_parameters(("temperature", "top_p", *_PASSED_ON)),
    _EFFORT,
    Parameter("reasoning.summary", "", ("reasoning summaries", "summaries")),
    Parameter("text.verbosity", "verbosity"),
    Parameter("text.format", "response_format", ("json_schema",)),
    Parameter("stream_options", "", ("include_obfuscation",)),
    Parameter("store"),
)


class ResponsesRequest(RequestBody):
    """The body of one call. `max_tokens` is the limit of the answer, or `LEAVE_OUT`; `refused` is what the model is known to refuse."""

    def __init__(
        self,
        request: ModelRequest,
        model: str,
        max_tokens: int,
        *,
        reasons: bool,
        refused: Collection[str] = (),
    ) -> None:
        self._given = {name: value for name, value in request.parameters.items() if value is not None}
        self._input_tokens = estimate_input_tokens(request)
        self._reasons = reasons
        messages = list(request.messages)
        system = []
        while len(messages) > 1 and messages[0].role == "system":
            system.append(messages.pop(0).text)
        body: dict[str, Any] = {
            "model": model,
            "input": [_item(message) for message in merge_turns(messages)],
            "stream": True,
            "stream_options": {"include_obfuscation": False},
            "store": False,
        }
        if max_tokens != LEAVE_OUT:
            body["max_output_tokens"] = max(_MIN_OUTPUT_TOKENS, max_tokens)
        super().__init__(body, _PARAMETERS)
        if any(system):
            self.body["instructions"] = _PARAGRAPH.join(filter(None, system))
        effort = request.effort or self._given.pop("reasoning_effort", None)
        self._add_reasoning(effort)
        for word in refused:
            self._lower_effort(word)
        if _NO_REASONING in refused:
            self._drop_reasoning()
        self._add_text()
        self._add_sampling(request.temperature, effort, model)
        self.body |= {name: self._given.pop(name) for name in _PASSED_ON if name in self._given}
        self.ignored += ["stop"] if request.stop else []
        self.ignored += ["seed"] if request.seed is not None else []
        self.ignored += [name for name, value in self._given.items() if value != _DEFAULTS.get(name)]

    def change(self, error: UpstreamError) -> str | None:
        """Lower a limit or an effort that the model does not have; see `RequestBody`."""
        if find_refused(error, (_EFFORT,)):
            word = _REFUSED_EFFORTS.get(self.body.get("reasoning", {}).get("effort"))
            return word if word is not None and self._lower_effort(word) else None
        if "reasoning" in self.body and self._refuses_reasoning(error):
            self._drop_reasoning()
            return _NO_REASONING
        body = self.body
        limit = body.get("max_output_tokens")
        if limit is None:
            return None
        fitting = fit_answer(error, limit, self._input_tokens)
        if fitting is None:
            return None
        if fitting == LEAVE_OUT:
            del body["max_output_tokens"]
        else:
            body["max_output_tokens"] = max(_MIN_OUTPUT_TOKENS, fitting)
        self.learned_limit = learn_limit(error, limit, fitting)
        return ""

    def _refuses_reasoning(self, error: UpstreamError) -> bool:
        """Return whether a refusal names reasoning as a whole, not a part of it or something beside it."""
        return not find_refused(error, _PARAMETERS) and bool(find_refused(error, (Parameter("reasoning"),)))

    def _drop_reasoning(self) -> None:
        if "effort" in self.body.pop("reasoning", {}):
            self.ignored.append("effort")

    def _lower_effort(self, word: str) -> bool:
        """Replace an effort that the model refuses by the nearest that every model has; return whether there was one."""
        reasoning = self.body.get("reasoning", {})
        if _REFUSED_EFFORTS.get(reasoning.get("effort")) != word:
            return False
        if reasoning["effort"] == "none":
            self.ignored.append("effort")  # it reasons, although it was told not to
        reasoning["effort"] = "low" if reasoning["effort"] == "none" else "high"
        return True

    def _add_reasoning(self, effort: object) -> None:
        reasoning: dict[str, Any] = {"summary": "auto"} if self._reasons else {}
        if effort is not None:
            reasoning["effort"] = effort
        if reasoning:
            self.body["reasoning"] = reasoning

    def _add_text(self) -> None:
        """Add the options of the text: in Chat Completions they are `verbosity` and `response_format`."""
        text: dict[str, Any] = {}
        verbosity, wanted = self._given.pop("verbosity", None), self._given.pop("response_format", None)
        if verbosity is not None:
            text["verbosity"] = verbosity
        if isinstance(wanted, dict):
            schema = wanted.get("json_schema")
            text["format"] = {"type": wanted.get("type"), **schema} if isinstance(schema, dict) else wanted
        if text:
            self.body["text"] = text

    def _add_sampling(self, temperature: float | None, effort: object, model: str) -> None:
        """Add temperature and `top_p`, which a model that reasons refuses."""
        given = {"temperature": temperature, "top_p": self._given.pop("top_p", None)}
        is_accepted = not self._reasons or (effort == "none" and can_be_told_not_to_reason(model))
        for name, value in given.items():
            if value is None:
                continue
            if is_accepted:
                self.body[name] = value
            elif value != 1:  # the default
                self.ignored.append(name)


def _item(message: ModelMessage) -> dict[str, Any]:
    role = "developer" if message.role == "system" else message.role
    if isinstance(message.content, str):
        return {"role": role, "content": message.content}
    if message.role == "assistant":
        return {"role": role, "content": message.text}
    return {"role": role, "content": [_content(part) for part in message.content]}


def _content(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "input_text", "text": part.text}
    url = part.url or f"data:{part.media_type};base64,{part.data}"
    return {"type": "input_image", "image_url": url, "detail": part.detail or "auto"}
