"""A client that calls the providers from this process, in the caller's thread and without gevent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from webapp.catalog.models import ModelTable
from webapp.chat import ModelRequest
from webapp.client.base import AnswerStream, Query, QueryClient
from webapp.client.deadline import Deadline
from webapp.client.local_search import LocalSearch
from webapp.errors import AnswerError, Stopped, UpstreamError
from webapp.providers.base import CallControl
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
        self._local_search = LocalSearch(settings)
        self._models = ModelTable.read(settings.models_file)
        self._factory = ProviderFactory(settings, self._models)
        options_by_provider = {provider or settings.default_provider: options}
        self._registry = ProviderRegistry(settings, self._models, self._factory, options_by_provider)

    def close(self) -> None:
        """Close the idle connections, and the database; answers in progress continue."""
        self._factory.close()
        self._local_search.close()

    def _search(self, query: str, collection: str | None, limit: int) -> list[dict[str, Any]]:
        """Search what `freshet ingest` has taken in. Raises `NotFound`, and `Unavailable` while the database is."""
        return self._local_search.search(query, collection, limit)

    def _open(self, query: Query) -> AnswerStream:
        chain = self._registry.resolve(query.provider, query.model)
        request = query.request
        self._registry.check(chain[0], request)
        builder = ResponseBuilder(chain[0].name, chain[0].model_name, request)
        control = CallControl()
        deltas = self._deltas(chain, request, builder, control, query.timeout_s)
        return AnswerStream(deltas, builder.response, control.stop)

    def _deltas(
        self,
        chain: Sequence[Provider],
        request: ModelRequest,
        builder: ResponseBuilder,
        control: CallControl,
        timeout_s: float | None,
    ) -> Iterator[str]:
        response = builder.response
        requested_model = chain[0].model_name

        def on_switch(error: AnswerError, fallback: Provider) -> None:
            nonlocal requested_model
            del error
            requested_model = fallback.model_name
            response.provider, response.model = fallback.name, fallback.model_name

        deadline = Deadline(timeout_s, control.stop)
        try:
            with deadline, closing(FallbackEvents(chain, request, control, on_switch)) as events:
                while response.finish_reason is None:
                    for event in events.read():
                        text = builder.add(event)
                        if text:
                            yield text
        except GeneratorExit:
            response.finish_reason = "cancelled"
            raise
        except Stopped:
            if deadline.expired:
                raise UpstreamError("upstream_timeout") from None
            response.finish_reason = "cancelled"
        finally:
            if response.finish_reason in (None, "cancelled"):
                builder.meter.delivered = control.delivered
                response.usage = builder.usage()
            names = (response.model, requested_model)
            response.cost = self._models.compute_cost(response.provider, names, response.usage)
