"""The body of a request to Anthropic's Messages API, and how it changes when a model refuses a part of it.

What is known of a model from its name (`models`) and from earlier refusals decides what is sent; what is left out of
what the caller asked for is named in `ignored`. Reasoning of earlier answers is never sent back; that of an answer which is
continued by an instruction is, as the blocks that it came in, while the model thinks.

`fallbacks` is not sent: with it Anthropic lets another model answer what the chosen one refuses, at another price and perhaps one
that the caller may not use. Where an account does so by itself, the decoder shows which model has answered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from webapp.catalog.efforts import REASONING_TOKENS
from webapp.chat import (
    Effort,
    ImagePart,
    ModelMessage,
    ModelRequest,
    TextPart,
    estimate_input_tokens,
    has_details,
)
from webapp.errors import UpstreamError
from webapp.providers.anthropic.models import ClaudeModel
from webapp.providers.anthropic.thinking_blocks import Block, open_blocks, to_content
from webapp.providers.continuing import REFUSED_PREFILL, continuation
from webapp.providers.refusals.answer_limit import LEAVE_OUT, fit_answer, learn_limit
from webapp.providers.refusals.parameters import Parameter, caller_parameters, find_refused
from webapp.providers.refusals.request_body import RequestBody
from webapp.providers.turns import fold_system, merge_turns

_SAMPLING = ("temperature", "top_p", "top_k")
_EFFORT = Parameter("output_config.effort", "effort", ("effort", "output_config"))
_PARAMETERS = (
    *(Parameter(name, name, ("sampling parameters",)) for name in _SAMPLING),
    Parameter("stop_sequences", "stop", ("stop sequences",)),
    _EFFORT,
    Parameter("thinking.display", "", ("thinking.adaptive.display",)),
    Parameter("metadata", "user", ("metadata.user_id", "user_id")),
    *caller_parameters(("service_tier",)),
)
# A thinking budget is at least 1,024 tokens and less than max_tokens, and the answer needs some of these, too.
_MIN_BUDGET = 1_024
_MIN_ANSWER = 1_024
# The words by which `RefusedParameters` remembers other refusals: `thinking` and its types, `high`, `prefill`, `system`.
_THINKING = "thinking"
_HIGH_EFFORT = "high"
# A refusal of blocks of thinking, which are sent for an answer that is continued, or of what is too long with them.
_REFUSED_BLOCKS = re.compile(
    r"signature|redacted_thinking|thinking\W{1,3}blocks?\b|block_binding|\bblocks?\b.{0,60}\bthinking\b|"
    r"contain\W{1,3}thinking|messages\W{0,2}\d+\W{1,2}content|content.{0,20}\btypes?\b|too long|context (?:length|window|limit)",
    re.I,
)
# A refusal of a level, not of levels as such.
_NAMES_LEVELS = re.compile(r"\b(?:x-?high|max(?:imum)?|high|level)\b", re.I)


class AnthropicRequest(RequestBody):
    """The body of one call.

    `max_tokens` is the limit of the answer; `refused` is what the model is known to refuse; `bind` returns the digest of messages,
    in JSON, together with the model and the account.
    """

    def __init__(
        self,
        request: ModelRequest,
        model_name: str,
        model: ClaudeModel,
        max_tokens: int,
        refused: Iterable[str],
        bind: Callable[[bytes], str],
    ) -> None:
        self._model = model
        self._effort = request.effort
        self._refused = set(refused)
        self._max_tokens = max_tokens
        self._input_tokens = estimate_input_tokens(request)
        self._messages: list[ModelMessage] = []
        self._bind = bind
        self._sealed = request.sealed if request.continues else None
        super().__init__(
            {"model": model_name, "messages": [], "max_tokens": max_tokens, "stream": True}, _PARAMETERS
        )
        if "system" in self._refused:
            self._set_messages(fold_system(request.messages))
        else:
            self._set_messages(request.messages)
            if request.system:
                self.body["system"] = request.system
        if has_details(request.messages):
            self.ignored.append("detail")
        if request.stop:
            self.body["stop_sequences"] = list(request.stop)
        self.body |= _named_otherwise(request)
        self._add_reasoning()
        self._add_sampling(request)
        if not model.prefill or "prefill" in self._refused or self._thinks:
            self._replace_prefill()  # while a model thinks, its answer cannot be begun for it
        self._encode_messages()

    def change(self, error: UpstreamError) -> str | None:
        """Adapt the fields to a refusal of more than a parameter; see `RequestBody`."""
        if self.given_back is not None and _REFUSED_BLOCKS.search(error.reason):
            self._sealed = None
            self._encode_messages()
            return ""  # nothing to remember: it is these blocks that are refused, or in this conversation
        word = self._change(error)
        self._encode_messages()
        return word

    def binding(self) -> str:
        """Return the digest of what blocks of thinking in the answer depend on."""
        return self._bind_messages(self.body["messages"])

    def _change(self, error: UpstreamError) -> str | None:
        if REFUSED_PREFILL.search(error.reason) and self._replace_prefill():
            return "prefill"
        word = self._refused_thinking(error) or self._refused_level(error)
        if word:
            self._refused.add(word)
            self._add_reasoning()
            return word
        if "system" in self.body and find_refused(error, (Parameter("system"),)):
            system = ModelMessage.system(self.body.pop("system"))
            self._set_messages(fold_system([system, *self._messages]))
            return "system"
        return "" if self._lower_limit(error) else None

    # Thinking.

    @property
    def _thinks(self) -> bool:
        return self.body.get(_THINKING, {}).get("type") in ("adaptive", "enabled")

    def _add_reasoning(self) -> None:
        """Set `thinking` and `output_config` by the effort, with the first form that the model does not refuse."""
        self.body.pop("thinking", None)
        self.body.pop("output_config", None)
        if self._effort == "none":
            self._turn_off()
            return
        if self._effort is None:
            may_adapt = _THINKING not in self._refused and "adaptive" not in self._refused
            if self._model.adaptive and self._model.thinks and may_adapt:
                self.body["thinking"] = {"type": "adaptive", "display": "summarized"}
            return
        self._report_effort(_THINKING not in self._refused and self._add_effort(self._effort))

    def _report_effort(self, is_honoured: bool) -> None:
        """Name the effort among what is ignored, unless it `is_honoured`."""
        self.ignored = [name for name in self.ignored if name != "effort"]
        if not is_honoured:
            self.ignored.append("effort")

    def _add_effort(self, effort: Effort) -> bool:
        """Set how much the model thinks; return whether it can be set."""
        model, budget = self._model, self._budget(effort)
        if model.adaptive and "adaptive" not in self._refused:
            self.body["thinking"] = {"type": "adaptive", "display": "summarized"}
            level = model.nearest(effort)
            is_too_high = level in ("xhigh", "max") and _HIGH_EFFORT in self._refused
            self.body["output_config"] = {"effort": "high" if is_too_high else level}
            return True
        may_have_budget = model.budgets or "adaptive" in self._refused
        if may_have_budget and "enabled" not in self._refused and budget >= _MIN_BUDGET:
            self.body["thinking"] = {"type": "enabled", "budget_tokens": budget}
            return True
        return False

    def _turn_off(self) -> None:
        """Turn thinking off, or down as far as the model allows."""
        off = self._model.off
        if off == "omitted" or _THINKING in self._refused:
            return
        kinds = (off, "disabled") if off is not None else ()
        kind = next((kind for kind in kinds if kind not in self._refused), None)
        if kind is not None:
            self.body["thinking"] = {"type": kind}
            return
        self._add_effort("low")
        self._report_effort(False)

    def _budget(self, effort: Effort) -> int:
        return min(REASONING_TOKENS[effort], self._max_tokens - _MIN_ANSWER)

    def _refused_thinking(self, error: UpstreamError) -> str | None:
        """Return what of `thinking` is refused: its type, or all of it."""
        thinking = self.body.get(_THINKING)
        if thinking is None:
            return None
        kind = thinking["type"]
        wordings = rf"thinking[. ]type\W+{kind}\b|\btag '{kind}'|\b{kind} thinking\b"
        if re.search(wordings, error.reason, re.I):
            return str(kind)
        others = [parameter for parameter in _PARAMETERS if parameter.path in self._paths()]
        if find_refused(error, others) or not find_refused(error, (Parameter(_THINKING),)):
            return None
        return _THINKING

    def _refused_level(self, error: UpstreamError) -> str | None:
        """Return the word for a refusal of the highest levels, of which the next lower one that all models have is then sent."""
        level = self.body.get("output_config", {}).get("effort")
        is_level = level in ("xhigh", "max") and _NAMES_LEVELS.search(error.reason)
        return _HIGH_EFFORT if is_level and find_refused(error, (_EFFORT,)) else None

    def _paths(self) -> set[str]:
        nested = {
            f"{name}.{key}" for name, value in self.body.items() if isinstance(value, dict) for key in value
        }
        return set(self.body) | nested

    # Sampling, the system prompt, and an answer to continue.

    def _add_sampling(self, request: ModelRequest) -> None:
        """Add the sampling parameters, unless the model refuses them, as every one does while it thinks."""
        given: dict[str, Any] = {name: request.parameters.get(name) for name in _SAMPLING}
        if request.temperature is not None:
            given["temperature"] = min(request.temperature, 1.0)  # Anthropic's maximum is 1
        for name, value in given.items():
            if value is None or (name == "top_k" and value < 1):  # 0 and -1 mean all, as without it
                continue
            if self._model.sampling and not self._thinks:
                self.body[name] = value
            elif value != 1 or name == "top_k":  # 1 is the default of the two others
                self.ignored.append(name)

    def _replace_prefill(self) -> bool:
        """Ask for the rest of an answer that is to be continued, instead of beginning it; return whether there is one."""
        if not self._messages or self._messages[-1].role != "assistant":
            return False
        self._set_messages(continuation(self._messages))
        return True

    def _set_messages(self, messages: Sequence[ModelMessage]) -> None:
        self._messages = merge_turns([message for message in messages if message.role != "system"])
        self._encode_messages()

    def _encode_messages(self) -> None:
        encoded = [_message(message) for message in self._messages]
        if self.is_prefilled and isinstance(encoded[-1]["content"], str):
            encoded[-1]["content"] = encoded[-1]["content"].rstrip()  # space is refused there
        blocks = self._blocks_of(encoded)
        self.given_back = self._sealed if blocks else None
        if blocks:
            encoded[-2]["content"] = to_content(blocks, self._messages[-2].text)
        self.body["messages"] = encoded

    def _blocks_of(self, encoded: list[dict[str, Any]]) -> tuple[Block, ...]:
        """Return the blocks with which the answer before the instruction to continue it begins, if they may be sent.

        With thinking turned off Anthropic refuses them, and in a prefilled answer, too.
        """
        if self._sealed is None or not self._thinks or self.is_prefilled or len(encoded) <= 2:
            return ()
        return open_blocks(self._sealed, self._bind_messages(encoded[:-2]))

    def _bind_messages(self, encoded: list[dict[str, Any]]) -> str:
        return self._bind(msgspec.json.encode([self.body.get("system"), encoded]))

    @property
    def is_prefilled(self) -> bool:
        """Whether the last message is the beginning of the answer."""
        return bool(self._messages) and self._messages[-1].role == "assistant"

    def _lower_limit(self, error: UpstreamError) -> bool:
        """Lower `max_tokens`, which cannot be left out, to what a refusal says that fits; return whether it is about that."""
        limit = self._max_tokens
        fitting = fit_answer(error, limit, self._input_tokens)
        if fitting is None or limit == 1:
            return False
        self._max_tokens = max(1, limit // 2) if fitting == LEAVE_OUT else fitting
        self.learned_limit = learn_limit(error, limit, self._max_tokens)
        self.body["max_tokens"] = self._max_tokens
        self._add_reasoning()
        return True


def _named_otherwise(request: ModelRequest) -> dict[str, Any]:
    """Return those parameters of OpenAI's API for which Anthropic has other names or values."""
    fields: dict[str, Any] = {}
    if user := request.parameters.get("user"):
        fields["metadata"] = {"user_id": user}
    tier = request.parameters.get("service_tier")
    if tier is not None:
        fields["service_tier"] = "auto" if tier in ("auto", "priority") else "standard_only"
    return fields


def _message(message: ModelMessage) -> dict[str, Any]:
    if isinstance(message.content, str):
        return {"role": message.role, "content": message.content}
    return {"role": message.role, "content": [_part(part) for part in message.content]}


def _part(part: TextPart | ImagePart) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    if part.url:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    return {"type": "image", "source": {"type": "base64", "media_type": part.media_type, "data": part.data}}
