"""Anthropic, or a compatible server, called by the Messages API."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import Unpack

from webapp.catalog.efforts import no_such_effort
from webapp.catalog.listing import ListedModel
from webapp.chat import ModelRequest
from webapp.providers.anthropic.decoder import AnthropicDecoder
from webapp.providers.anthropic.models import UNKNOWN, find_claude_model
from webapp.providers.anthropic.request import AnthropicRequest
from webapp.providers.anthropic.thinking_blocks import ThinkingCollector
from webapp.providers.continuing import continued_events
from webapp.providers.endpoints import strip_endpoint
from webapp.providers.http_provider import HttpOptions, HttpProvider
from webapp.providers.listings.pages import read_pages
from webapp.providers.reasoning_tags import ReasoningHabit
from webapp.providers.retries import RetryingClient
from webapp.seams import Control, EventStream, Transport

BASE_URL = "https://api.anthropic.com"
_ENDPOINTS = ("/v1/messages", "/v1/models", "/v1", "/messages")
DEFAULT_MODEL = "claude-3-7-sonnet-20250219"
_VERSION = "2023-06-01"


class AnthropicProvider(HttpProvider):
    """Anthropic, or a compatible server at `base_url`."""

    name = "anthropic"

    def __init__(
        self,
        client: RetryingClient,
        *,
        api_key: str | None,
        base_url: str = BASE_URL,
        **options: Unpack[HttpOptions],
    ) -> None:
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "anthropic-version": _VERSION,
            **({"x-api-key": api_key} if api_key else {}),
        }
        super().__init__(client, strip_endpoint(base_url, _ENDPOINTS) + "/v1/messages", headers, **options)
        self._model = find_claude_model(self._model_name)
        self._habit = ReasoningHabit(self._model_name)
        self._account = "\n".join((self._url, self._model_name, api_key or "")).encode(errors="replace")

    def check(self, request: ModelRequest) -> None:
        """Raise `InvalidRequest` for an effort that the model is known not to have."""
        model, effort = self._model, request.effort
        if model is None or effort is None:
            return
        if (model.off is None) if effort == "none" else (not model.reasons):
            raise no_such_effort(self._model_name, reasons=model.reasons, efforts=model.efforts)

    def list_models(self, transport: Transport, control: Control) -> Iterator[list[ListedModel]]:
        """Yield the models that the server lists."""
        url = self._url.removesuffix("/messages") + "/models"
        headers = {**self._headers, "Accept": "application/json"}
        return read_pages(transport, control, url, headers, query="limit=1000")

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Call the model; see `seams.Provider`."""
        body = AnthropicRequest(
            request,
            self._model_name,
            self._model or UNKNOWN,
            self._fitting_tokens(request),
            self._refused(),
            self._bind,
        )

        def bind() -> str:  # no bound method: a decoder is copied, and its request must not be
            return body.binding()

        # What a model thinks of an instruction to continue is bound to that, and is no part of the answer that is stored.
        def new_decoder() -> AnthropicDecoder:
            blocks = None if request.continues else ThinkingCollector(bind)
            return AnthropicDecoder(self._max_line_bytes, self._habit, blocks)

        return continued_events(self._send(body, new_decoder, control), request, was_begun=body.is_prefilled)

    def _bind(self, messages: bytes) -> str:
        """Return a digest of messages, which is the same for the same model of the same account only."""
        return hmac.new(self._account, messages, "sha256").hexdigest()
