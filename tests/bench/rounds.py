"""The rounds: every server in turn under every work, and what each measurement gave."""

import json
import statistics
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field

from tests.bench import plan
from tests.bench.cores import await_quiet, pinned
from tests.bench.load import Task
from tests.bench.plan import Contender, Work
from tests.bench.servers import ROOT, Running, Stage, UnavailableError, server

_ALONE = 0.05

Measurement = dict[str, float]


@dataclass(slots=True)
class Results:
    """All measurements by (work, contender), one a round, and what could not be measured, with the reason."""

    cells: dict[tuple[str, str], list[Measurement]] = field(default_factory=dict)
    works: dict[str, Work] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, work: str, contender: str, measured: dict[str, object]) -> None:
        """Keep one measurement; its failures are kept as sentences."""
        for failure in measured.pop("failures", []):
            self.failures.append(f"{contender} at {work}: {failure}")
        self.cells.setdefault((work, contender), []).append(measured)

    def all(self, work: str, contender: str, figure: str) -> list[float]:
        """List a figure of all rounds."""
        return [cell[figure] for cell in self.cells.get((work, contender), ()) if figure in cell]

    def undisturbed(self, work: str, contender: str, figure: str) -> list[float]:
        """List a figure of the rounds in which others left the server's core alone; of all, if there is none."""
        cells = self.cells.get((work, contender), [])
        alone = [cell for cell in cells if cell.get("foreign_share", 0) < _ALONE]
        return [cell[figure] for cell in alone or cells if figure in cell]

    def median(self, work: str, contender: str, figure: str) -> float | None:
        """Take the median over the rounds, or `None` when it was not measured."""
        values = self.all(work, contender, figure)
        return statistics.median(values) if values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line asked for. Empty `works` or `contenders` mean all."""

    rounds: int
    seconds: float
    works: tuple[str, ...]
    contenders: tuple[str, ...]

    def wants(self, work: str, contender: Contender) -> bool:
        """Say whether a cell is to be measured."""
        chosen = not self.contenders or contender.name in self.contenders
        return chosen and (not self.works or work in self.works)


class Rounds:
    """Measure all cells of a choice."""

    def __init__(self, stage: Stage, choice: Choice) -> None:
        self._stage = stage
        self._choice = choice
        self.results = Results(works={work.name: work for work in plan.WORKS})

    def run(self) -> Results:
        """Measure round after round, then the memory once."""
        for number in range(self._choice.rounds):
            print(f"bench: round {number + 1} of {self._choice.rounds}", flush=True)
            with ExitStack() as running:
                self._round(number, self._start_all(running))
        self._memory()
        return self.results

    def _start_all(self, running: ExitStack) -> dict[str, Running]:
        """Start the servers fresh; those not under load are idle and take next to nothing."""
        provider = self._stage.provider
        servers = {"provider": Running(port=provider.plain, pid=provider.pid)}
        for contender in plan.CONTENDERS:
            wanted = any(self._choice.wants(work, contender) for work in (*plan.FLOWS, "first-text"))
            if wanted and contender.server not in servers and contender.server not in self.results.missing:
                try:
                    started = server(contender.server, self._stage, contender.dialect)
                    servers[contender.server] = running.enter_context(started)
                except UnavailableError as reason:
                    self.results.missing[contender.server] = str(reason)
                    print(f"bench: {contender.server} is missing: {reason}", flush=True)
        return servers

    def _round(self, number: int, servers: dict[str, Running]) -> None:
        for work_name, contenders in plan.FLOWS.items():
            for contender in plan.turn(contenders, number):
                again = contender is plan.DIRECT and number > 0
                if contender.server not in servers or again or not self._choice.wants(work_name, contender):
                    continue
                work = self._work(work_name)
                if work is not None:
                    self._measure("flow", work, contender, servers[contender.server])
        for contender in plan.turn(plan.FIRST_TEXT, number):
            if contender.server in servers and self._choice.wants("first-text", contender):
                one = Work(name="first-text", streams=1, rate=100, ramp_s=0)
                self._measure("first_text", one, contender, servers[contender.server])

    def _work(self, name: str) -> Work | None:
        """Name a work; the one of half a core is sized once, from what Freshet took in the first round."""
        if name == plan.HALF and name not in self.results.works:
            share, provider, load = (
                self.results.median(plan.CALM.name, plan.FRESHET.name, figure)
                for figure in ("server_share", "provider_share", "load_share")
            )
            if share is None or provider is None or load is None:
                return None
            self.results.works[name] = plan.half_core(share, provider + load)
        return self.results.works[name]

    def _memory(self) -> None:
        for contender in plan.MEMORY:
            if contender.server in self.results.missing or not self._choice.wants("memory", contender):
                continue
            work = Work(name="memory", streams=1000, rate=10, ramp_s=2.0)
            try:
                with server(contender.server, self._stage, contender.dialect) as running:
                    self._measure("memory", work, contender, running)
            except UnavailableError as reason:
                self.results.missing[contender.server] = str(reason)

    def _measure(self, kind: str, work: Work, contender: Contender, running: Running) -> None:
        cores = self._stage.cores
        await_quiet(running.pid)
        task = Task(
            kind=kind,
            dialect=contender.dialect,
            port=running.port,
            pid=running.pid,
            provider_pid=self._stage.provider.pid,
            streams=work.streams,
            rate=work.rate,
            seconds=self._choice.seconds if kind == "flow" else 2.0,
            ramp_s=work.ramp_s,
            server_core=cores.server,
        )
        command = [sys.executable, "-m", "tests.bench.load"]
        with pinned(cores.load):
            done = subprocess.run(
                command, input=json.dumps(asdict(task)), capture_output=True, text=True, cwd=ROOT, timeout=120
            )
        if done.returncode:
            self.results.failures.append(f"{contender.name} at {work.name}: {done.stderr.strip()[-300:]}")
            return
        measured = json.loads(done.stdout)
        self.results.add(work.name, contender.name, measured)
        seen = f"{measured['cpu_us']:6.1f} µs a delta" if kind == "flow" else "done"
        print(f"  {work.name:10} {contender.name:12} {seen}", flush=True)
