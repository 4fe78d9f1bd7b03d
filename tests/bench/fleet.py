"""The servers of one round: each is started when first needed, and kept for the next workload."""

from contextlib import ExitStack
from types import TracebackType

from tests.bench.cores import await_quiet
from tests.bench.plan import Contender
from tests.bench.servers import Running, Stage, UnavailableError, server


class Fleet:
    """A context that ends all servers on exit. `missing` holds those that could not be started, with the reason."""

    def __init__(self, stage: Stage, missing: dict[str, str]) -> None:
        self._stage = stage
        self._missing = missing
        self._afloat: dict[str, tuple[Running, ExitStack]] = {}

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._afloat):
            self.retire(name)

    def get(self, contender: Contender) -> Running | None:
        """Return a contender's server once all servers are idle; `None` when it can't be started."""
        provider = self._stage.provider
        if contender.server == "provider":
            return Running(port=provider.plain, pid=provider.pid)
        if contender.server not in self._afloat and contender.server not in self._missing:
            self._start(contender)
        await_quiet([running.pid for running, _ in self._afloat.values()])
        return self._afloat[contender.server][0] if contender.server in self._afloat else None

    def retire(self, name: str) -> None:
        """End a server: after an overload it would spend many seconds on its dead streams."""
        if name in self._afloat:
            self._afloat.pop(name)[1].close()

    def _start(self, contender: Contender) -> None:
        hold = ExitStack()
        try:
            running = hold.enter_context(server(contender.server, self._stage, contender.dialect))
        except UnavailableError as reason:
            self._missing[contender.server] = str(reason)
            print(f"bench: {contender.server} is missing: {reason}", flush=True)
            return
        self._afloat[contender.server] = (running, hold)
