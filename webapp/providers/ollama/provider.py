"""An Ollama server, called by its chat API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Unpack

from webapp.catalog.listing import ListedModel
from webapp.catalog.parameters import select_known
from webapp.chat import Effort, ImagePart, ModelMessage, ModelRequest, has_details
from webapp.errors import InvalidRequest
from webapp.providers.continuing import ask_for_rest, continued_events
from webapp.providers.endpoints import strip_endpoint
from webapp.providers.http_provider import HttpOptions, HttpProvider
from webapp.providers.ollama.decoder import OllamaDecoder
from webapp.providers.ollama.listing import read_ollama
from webapp.providers.ollama.loading import LoadingEvents
from webapp.providers.ollama.status import is_loading, read_thinking
from webapp.providers.ollama.thinking import Think, ThinkingValues
from webapp.providers.reasoning_tags import ReasoningHabit
from webapp.providers.refusals.parameters import Parameter
from webapp.providers.refusals.request_body import RequestBody
from webapp.providers.retries import RetryingClient
from webapp.providers.turns import merge_turns
from webapp.seams import Control, EventStream, Transport

BASE_URL = "http://127.0.0.1:11434"
DEFAULT_MODEL = "llama3"
_ENDPOINTS = ("/api/chat", "/api/generate", "/api/tags", "/api", "/v1/chat/completions", "/v1")

_PARAMETERS = (
    Parameter("think", "effort", ("thinking",)),
    Parameter("format", "response_format"),
    *(
        Parameter(f"options.{name}", name)
        for name in (
            *("temperature", "stop", "seed", "top_p", "top_k", "min_p"),
            *("presence_penalty", "frequency_penalty"),
        )
    ),
    Parameter("options.repeat_penalty", "repetition_penalty"),
    Parameter("options.num_predict"),
    Parameter("keep_alive"),
)


class OllamaProvider(HttpProvider):
    """An Ollama server at `base_url`.

    `keep_alive` is how long it keeps the model loaded, None as the server is set. `status_transport` returns the transport for
    questions about the model, which are not asked without one.
    """

    name = "ollama"

    def __init__(
        self,
        client: RetryingClient,
        *,
        base_url: str = BASE_URL,
        keep_alive: int | str | None = None,
        status_transport: Callable[[], Transport] | None = None,
        **options: Unpack[HttpOptions],
    ) -> None:
        self._base_url = strip_endpoint(base_url, _ENDPOINTS)
        headers = {"Content-Type": "application/json"}
        super().__init__(client, self._base_url + "/api/chat", headers, **options)
        self._keep_alive = keep_alive
        self._status_transport = status_transport
        self._habit = ReasoningHabit(self._model_name)
        self._thinking = ThinkingValues(self._model_name, self._read_thinking)

    def list_models(self, transport: Transport, control: Control) -> Iterator[list[ListedModel]]:
        """Yield the models that the server has: first their names, then with what is known of each."""
        return read_ollama(transport, control, self._base_url)

    def open(self, request: ModelRequest, control: Control) -> EventStream:
        """Call the model; see `seams.Provider`. Raises `InvalidRequest` for an image with a URL."""
        _check_images(request.messages)
        body = RequestBody(self._body(ask_for_rest(request)), _PARAMETERS)
        if has_details(request.messages):
            body.ignored.append("detail")
        events = LoadingEvents(lambda own: self._ask(body, request.effort, own), control, self._is_loading)
        return continued_events(events, request)

    def _ask(self, body: RequestBody, effort: Effort | None, control: Control) -> EventStream:
        think, is_honoured = self._thinking.choose(effort) if effort is not None else (None, True)
        if think is not None:
            body.body["think"] = think
        if not is_honoured:
            body.ignored.append("effort")
        return self._send(body, lambda: OllamaDecoder(self._max_line_bytes, self._habit), control)

    def _read_thinking(self) -> Sequence[Think] | None:
        transport = self._status_transport
        return None if transport is None else read_thinking(transport(), self._base_url, self._model_name)

    def _is_loading(self) -> bool:
        transport = self._status_transport
        return transport is None or is_loading(transport(), self._base_url, self._model_name)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        options: dict[str, Any] = {"num_predict": self._max_output_tokens(request)}
        if request.temperature is not None:
            options["temperature"] = request.temperature
        if request.stop:
            options["stop"] = list(request.stop)
        if request.seed is not None:
            options["seed"] = request.seed
        known = select_known(self.name, request.parameters)
        format_ = _format(known.pop("response_format", {}))
        if "repetition_penalty" in known:
            known["repeat_penalty"] = known.pop("repetition_penalty")
        options |= known
        return {
            **({} if format_ is None else {"format": format_}),
            **({} if self._keep_alive is None else {"keep_alive": self._keep_alive}),
            "model": self._model_name,
            "messages": [_message(message) for message in merge_turns(request.messages)],
            "stream": True,
            "options": options,
        }


def _format(response_format: Mapping[str, Any]) -> object:
    """Return OpenAI's `response_format` as Ollama's `format`: "json", a schema, or None for text."""
    match response_format.get("type"):
        case "json_object":
            return response_format.get("schema") or "json"
        case "json_schema":
            return response_format["json_schema"]["schema"]
        case _:
            return None


def _check_images(messages: Sequence[ModelMessage]) -> None:
    """Raise `InvalidRequest` for an image with a URL, which Ollama does not fetch."""
    for index, message in enumerate(messages):
        if any(isinstance(part, ImagePart) and part.data is None for part in message.parts):
            raise InvalidRequest(
                "ollama does not accept image URLs. Send the image as data.",
                param=f"messages[{index}].content",
                code="no_image_urls",
            )


def _message(message: ModelMessage) -> dict[str, Any]:
    images = [part.data for part in message.parts if isinstance(part, ImagePart)]
    body: dict[str, Any] = {"role": message.role, "content": message.text}
    return body | {"images": images} if images else body
