"""OpenAI, or a compatible server, called by the Responses API."""

from __future__ import annotations

from typing import Unpack

from webapp.chat import ModelRequest
from webapp.providers.continuing import ask_for_rest, continued_events
from webapp.providers.http_provider import HttpOptions, HttpProvider
from webapp.providers.openai.addresses import join_path, make_headers
from webapp.providers.openai.models import is_reasoning_model
from webapp.providers.openai.responses_decoder import ResponsesDecoder
from webapp.providers.openai.responses_request import ResponsesRequest
from webapp.providers.retries import RetryingClient
from webapp.seams import Control, EventStream


class OpenAIResponsesProvider(HttpProvider):
    """OpenAI, or a compatible server at `base_url`. `reasoning` is whether the table of models says that the model reasons."""

    name = "openai"

    def __init__(
        self,
        client: RetryingClient,
        *,
        api_key: str | None,
        base_url: str,
        reasoning: bool = False,
        **options: Unpack[HttpOptions],
    ) -> None:
        headers = make_headers(base_url, api_key)
        super().__init__(client, join_path(base_url, "/responses"), headers, **options)
        self._reasons = reasoning or is_reasoning_model(self._model_name)

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Call the model; see `seams.Provider`."""
        body = ResponsesRequest(
            ask_for_rest(request),
            self._model_name,
            self._fitting_tokens(request),
            reasons=self._reasons,
            refused=self._refused(),
        )
        return continued_events(
            self._send(body, lambda: ResponsesDecoder(self._max_line_bytes), control), request
        )
