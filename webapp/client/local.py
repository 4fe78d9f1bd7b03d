"""A client that asks the providers itself, in the thread that calls it; gevent is not involved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from webapp.catalog.models import ModelTable
from webapp.chat import ModelRequest
from webapp.client.base import AnswerStream, QueryClient, Question
from webapp.client.deadline import Deadline
from webapp.errors import AnswerError, Stopped, UpstreamError
from webapp.providers.base import FreeControl
from webapp.providers.factory import ProviderFactory
from webapp.providers.registry import ProviderRegistry
from webapp.providers.response_builder import ResponseBuilder
from webapp.runs.fallback import FallbackEvents
from webapp.seams import Provider
from webapp.settings import Settings
from webapp.wiring import read_settings


class LocalClient(QueryClient):
    """See `create_query_client`."""

    def __init__(
        self,
        *,
        provider: str | None = None,
        model: str | None = None,
        settings: Settings | None = None,
        **options: Any,
    ) -> None:
        super().__init__(provider, model)
        settings = settings or read_settings()
        self._models = ModelTable.read(settings.models_file)
        self._workshop = ProviderFactory(settings, self._models)
        own = {provider or settings.default_provider: options}
        self._catalog = ProviderRegistry(settings, self._models, self._workshop, own)

    def close(self) -> None:
        """Let go of connections; answers in progress go on."""
        self._workshop.close()

    def _open(self, question: Question) -> AnswerStream:
        chain = self._catalog.resolve(question.provider, question.model)
        request = question.request
        self._catalog.check(chain[0], request)
        growth = ResponseBuilder(chain[0].name, chain[0].model_name, request)
        control = FreeControl()
        deltas = self._deltas(chain, request, growth, control, question.timeout_s)
        return AnswerStream(deltas, growth.response, control.stop)

    def _deltas(
        self,
        chain: Sequence[Provider],
        request: ModelRequest,
        growth: ResponseBuilder,
        control: FreeControl,
        timeout_s: float | None,
    ) -> Iterator[str]:
        response = growth.response
        asked = [chain[0]]

        def switched(error: AnswerError, following: Provider) -> None:
            del error
            asked[0] = following
            response.provider, response.model = following.name, following.model_name

        alarm = Deadline(timeout_s, control.stop)
        try:
            with alarm, closing(FallbackEvents(chain, request, control, switched)) as events:
                while response.finish_reason is None:
                    for event in events.read():
                        text = growth.add(event)
                        if text:
                            yield text
        except GeneratorExit:
            response.finish_reason = "cancelled"
            raise
        except Stopped:
            if alarm.rang:
                raise UpstreamError("upstream_timeout") from None
            response.finish_reason = "cancelled"
        finally:
            if response.finish_reason in (None, "cancelled"):
                growth.meter.taken = control.taken
                response.usage = growth.usage()
            names = (response.model, asked[0].model_name)
            response.cost = self._models.cost(response.provider, names, response.usage)
