"""Chooses between OpenAI's two dialects for each call: Chat Completions and Responses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from webapp.catalog.listing import ListedModel
from webapp.chat import ModelRequest
from webapp.errors import UpstreamError
from webapp.providers.base import BaseProvider
from webapp.providers.refusals.memory import RefusedParameters
from webapp.seams import Control, EventStream, Transport

_WANTS_RESPONSES = re.compile(r"\bv1/responses\b|\bresponses[ -](?:api|endpoint)\b", re.I)
_STATUSES = (400, 404, 422)
_WORD = "chat completions"


class OpenAIDialects(BaseProvider):
    """A model that may be called by either dialect.

    With `first_responses` it is called by the Responses API. Else by Chat Completions, until the server refuses that and names
    the Responses API: then this call and, for an hour, the next ones go there. `refused` remembers that.
    """

    name = "openai"

    def __init__(
        self,
        chat: BaseProvider,
        responses: BaseProvider,
        *,
        first_responses: bool,
        refused: RefusedParameters | None = None,
    ) -> None:
        self._chat = chat
        self._responses = responses
        self._first_responses = first_responses
        self._refused = refused or RefusedParameters()
        super().__init__(chat.model_name, chat.max_tokens, chat.pricer)

    def check(self, request: ModelRequest) -> None:
        """Raise `InvalidRequest` for an effort that the model is known not to have."""
        self._chat.check(request)

    def list_models(self, transport: Transport, control: Control) -> Iterator[list[ListedModel]]:
        """Yield the models that the server lists; see `BaseProvider.list_models`."""
        return self._chat.list_models(transport, control)

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Call the model; see `seams.Provider`."""
        key = (self.name, "dialect", self._model_name)
        if self._first_responses or _WORD in self._refused.recall(key):
            return self._responses.open(request, control)
        try:
            return self._chat.open(request, control)
        except UpstreamError as error:
            if error.status not in _STATUSES or not _WANTS_RESPONSES.search(error.reason):
                raise
        self._refused.remember(key, [_WORD])
        return self._responses.open(request, control)
