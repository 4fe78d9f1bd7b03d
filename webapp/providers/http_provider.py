"""The base class of providers that are called over HTTP: makes a call, and makes it again without what the server refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, Unpack

import msgspec

from webapp.chat import ModelRequest, estimate_input_tokens
from webapp.providers.base import BaseProvider, ProviderOptions
from webapp.providers.decoder import MAX_LINE_BYTES
from webapp.providers.refusals.memory import RefusedParameters
from webapp.providers.refusals.repeater import NewDecoder, Repeater
from webapp.providers.refusals.request_body import RequestBody
from webapp.providers.retries import RetryingClient
from webapp.seams import Call, Control, EventStream


class HttpOptions(ProviderOptions):
    """The options that all providers over HTTP have; `refused` is what models have refused, shared by all providers."""

    max_line_bytes: NotRequired[int]
    refused: NotRequired[RefusedParameters | None]


class HttpProvider(BaseProvider):
    """A provider that is called with POST at `url`. A subclass's `open` builds the body and chooses the decoder."""

    def __init__(
        self,
        client: RetryingClient,
        url: str,
        headers: Mapping[str, str],
        *,
        max_line_bytes: int = MAX_LINE_BYTES,
        refused: RefusedParameters | None = None,
        **options: Unpack[ProviderOptions],
    ) -> None:
        super().__init__(**options)
        self._client = client
        self._url = url
        self._headers = headers
        self._max_line_bytes = max_line_bytes
        self._memory = refused or RefusedParameters()
        self._key = (self.name, url, self._model_name)

    def _refused(self) -> frozenset[str]:
        """Return what the model is known to refuse; see `RefusedParameters`."""
        return self._memory.recall(self._key)

    def _fitting_tokens(self, request: ModelRequest) -> int:
        """Return the limit of the answer that is sent: as asked for, or what the model is known to accept; `LEAVE_OUT` for none."""
        max_tokens = self._max_output_tokens(request)
        limit = self._memory.recall_limit(self._key)
        return max_tokens if limit is None else limit.fit(max_tokens, estimate_input_tokens(request))

    def _send(self, body: RequestBody, new_decoder: NewDecoder, control: Control) -> EventStream:
        """Return the events of the answer; the first ones name the parameters that were left out."""
        repeater = Repeater(self._memory, self._key, body, self._make_call)
        return repeater.open(self._client, new_decoder, control)

    def _make_call(self, body: dict[str, Any]) -> Call:
        return Call(url=self._url, headers=self._headers, body=msgspec.json.encode(body))
