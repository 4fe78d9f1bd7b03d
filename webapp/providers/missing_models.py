"""Recognises that a provider does not have the model of a call, and names models that it does have."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence

from webapp.errors import UpstreamError
from webapp.providers.listings.entries import is_valid_name
from webapp.providers.retries import NextCall, RetryingClient
from webapp.seams import Control, Decoder, EventStream, Transport

MAX_NAMED = 3
_SIMILAR = 0.85  # a slip of the pen, not another model
_CODES = re.compile(
    r"model_?not_?(?:found|exist|available|supported)|(?:invalid|unknown|unsupported)_model\b|model_decommissioned|"
    r"DeploymentNotFound|OrModel\.NotFound",
    re.I,
)
_GONE = (
    r"not found|not exists?\b|does(?: not|n't) exist|not a valid model|not available|no longer (?:available|supported)|"
    r"(?:been |is |was )(?:decommissioned|retired|deprecated|removed|shut ?down)|end of (?:its |the )?life|"
    r"not supported by any\b"
)
_SENTENCE = r"(?:[^.\n]|\.(?=\S)){0,200}?"  # names of models contain dots
_TEXTS = re.compile(
    rf"\bmodels?\b{_SENTENCE}(?:{_GONE})|\b(?:unknown|no such|invalid|unable to access|not a valid|unexpected)(?: \w+)? model\b|^\W*not supported model\b|"
    r"\bmodel(?: identifier| id| name)?(?: \W?[\w./:-]+)?\W? is invalid|"
    r"\b(?:requested model\b.{0,100}|model \S+ (?:is )?)not supported\W*$|\bhealthy deployments\b|could not resolve\b.{0,40}\bmodel\b|"
    r"模型不存在|"
    rf"\bno endpoints found for\b|not a valid model\b|\bdeployment\b{_SENTENCE}(?:does not exist|not found)",
    re.I | re.M,
)
# Of a refusal that blames the field `model`.
_NOT_ONE_OF = re.compile(r"\b(?:not a valid|not supported|unknown|invalid|should be|must be one of)\b", re.I)
_ANTHROPIC = re.compile(r"^model: \S+$", re.M)
# The model exists, but takes other calls than this one.
_OTHER_ENDPOINT = re.compile(
    r"not a chat model|v1/(?:responses|completions|embeddings)|not supported in the", re.I
)
_STATUSES = (400, 403, 404, 410, 422, None)  # None: reported inside a stream

Available = Callable[[Control], Sequence[str]]


def is_missing_model(error: UpstreamError) -> bool:
    """Return whether a provider has refused a call because it does not have the model."""
    if error.status not in _STATUSES or _OTHER_ENDPOINT.search(error.reason):
        return False
    if _CODES.search(error.detail):
        return True
    if error.status == 403:
        return False
    blamed, _, text = error.reason.partition("\n")
    if error.status == 410 or (blamed.rpartition(".")[2] == "model" and _NOT_ONE_OF.search(text)):
        return True
    if _ANTHROPIC.search(error.reason):
        return error.status == 404 or "not_found" in error.detail
    return _TEXTS.search(error.reason) is not None


def missing_model_error(error: UpstreamError, model: str, available: Sequence[str]) -> UpstreamError:
    """Return the error that names the missing model and up to three of `available`, the most similar first."""
    shown = model if is_valid_name(model) else "this name"
    message = f"The provider has no model called {shown}."
    named = _choose(model, available)
    if named:
        message += f" Available: {', '.join(named)}."
    else:
        message += " Choose another `model`, or set FRESHET_MODEL."
    missing = UpstreamError(
        "upstream_bad_request", message, detail=error.detail, reason=error.reason, status=error.status
    )
    missing.param = "model"
    return missing


def _choose(model: str, available: Sequence[str]) -> list[str]:
    others = [name for name in available if name != model]
    similar = difflib.get_close_matches(model, others, MAX_NAMED, _SIMILAR) if len(model) <= 200 else []
    return list(dict.fromkeys([*similar, *others]))[:MAX_NAMED]


class ModelNamingClient(RetryingClient):
    """A client whose errors for a missing model name models that exist.

    `available` returns their names, those to prefer first; it is called only after such a failure.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        model: str,
        available: Available,
        retries: int = 2,
        retry_max_s: float = 20.0,
        quiet_s: float = 300.0,
    ) -> None:
        super().__init__(transport, retries=retries, retry_max_s=retry_max_s, quiet_s=quiet_s)
        self._model = model
        self._available = available

    def open(self, next_call: NextCall, decoder: Decoder, control: Control) -> EventStream:
        """Make a call and return the events of its response; see `RetryingClient.open`."""
        try:
            return super().open(next_call, decoder, control)
        except UpstreamError as error:
            explained = self._explain(error, control)
            if explained is error:
                raise
            raise explained from error

    def _explain(self, error: UpstreamError, control: Control) -> UpstreamError:
        if not is_missing_model(error):
            return error
        return missing_model_error(error, self._model, self._available(control))
