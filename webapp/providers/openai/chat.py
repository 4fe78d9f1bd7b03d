"""OpenAI, or a compatible server, called by the Chat Completions API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Unpack

from webapp.catalog.efforts import no_such_effort
from webapp.catalog.listing import ListedModel
from webapp.chat import ModelRequest
from webapp.providers.continuing import ask_for_rest, continued_events
from webapp.providers.http_provider import HttpOptions, HttpProvider
from webapp.providers.listings.pages import read_pages
from webapp.providers.openai.addresses import BASE_URL, is_azure, is_own_server, join_path, make_headers
from webapp.providers.openai.chat_decoder import LogprobsDecoder, OpenAIDecoder
from webapp.providers.openai.chat_request import ChatRequest
from webapp.providers.openai.models import ModelRules
from webapp.providers.reasoning_tags import ReasoningHabit
from webapp.providers.retries import RetryingClient
from webapp.seams import Control, EventStream, Transport

DEFAULT_MODEL = "gpt-4.1"


class OpenAIProvider(HttpProvider):
    """OpenAI, or a compatible server at `base_url`. `reasoning` is whether the table of models says that the model reasons."""

    name = "openai"

    def __init__(
        self,
        client: RetryingClient,
        *,
        api_key: str | None,
        base_url: str = BASE_URL,
        reasoning: bool = False,
        **options: Unpack[HttpOptions],
    ) -> None:
        headers = make_headers(base_url, api_key)
        super().__init__(client, join_path(base_url, "/chat/completions"), headers, **options)
        self._models_url = join_path(base_url, "/models")
        self._is_azure = is_azure(base_url)
        self._rules = ModelRules(self._model_name, is_own=is_own_server(base_url), reasons=reasoning)
        self._habit = ReasoningHabit(self._model_name)

    def check(self, request: ModelRequest) -> None:
        """Raise `InvalidRequest` for an effort that a model of OpenAI's is known not to have."""
        if request.effort is not None and not self._rules.has_effort(request.effort):
            raise no_such_effort(self._model_name, reasons=self._rules.reasons)

    def list_models(self, transport: Transport, control: Control) -> Iterator[list[ListedModel]]:
        """Yield the models that the server lists; none for Azure, which lists models, but is called by deployments."""
        if self._is_azure:
            return iter(())
        headers = {**self._headers, "Accept": "application/json"}
        return read_pages(transport, control, self._models_url, headers)

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Call the model; see `seams.Provider`."""
        body = ChatRequest(
            ask_for_rest(request),
            self._model_name,
            self._fitting_tokens(request),
            self._rules,
            self._refused(),
        )
        decoder_type = LogprobsDecoder if request.parameters.get("logprobs") else OpenAIDecoder
        events = self._send(body, lambda: decoder_type(self._max_line_bytes, self._habit), control)
        return continued_events(events, request)
