"""Runs the rounds: every server in turn under every workload."""

import json
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench import plan
from tests.bench.cores import Cores, launch
from tests.bench.fleet import Fleet
from tests.bench.load import Task
from tests.bench.plan import Contender, Work
from tests.bench.servers import ROOT, Stage

_ALONE = 0.05
_LONGEST_S = 120

Measurement = dict[str, float]


@dataclass(slots=True)
class Results:
    """All measurements by (workload, contender), one a round, and those that failed, with the reason."""

    cells: dict[tuple[str, str], list[Measurement]] = field(default_factory=dict)
    works: dict[str, Work] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def add(self, work: str, contender: str, measured: dict[str, object]) -> None:
        """Add one measurement; its failures are kept as sentences."""
        for failure in measured.pop("failures", []):
            self.failures.append(f"{contender} at {work}: {failure}")
        self.cells.setdefault((work, contender), []).append(measured)

    def all(self, work: str, contender: str, figure: str) -> list[float]:
        """Return a figure of all rounds."""
        return [cell[figure] for cell in self.cells.get((work, contender), ()) if figure in cell]

    def undisturbed(self, work: str, contender: str, figure: str) -> list[float]:
        """Return a figure of the rounds without other work on the server's core; of all rounds, if there is none."""
        cells = self.cells.get((work, contender), [])
        alone = [cell for cell in cells if cell.get("foreign_share", 0) < _ALONE]
        return [cell[figure] for cell in alone or cells if figure in cell]

    def median(self, work: str, contender: str, figure: str) -> float | None:
        """Return the median over the rounds; None when it was not measured."""
        values = self.all(work, contender, figure)
        return statistics.median(values) if values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The choice made on the command line. Empty `works` or `contenders` mean all."""

    rounds: int
    seconds: float
    works: tuple[str, ...]
    contenders: tuple[str, ...]

    def wants(self, work: str, contender: Contender) -> bool:
        """Return whether a workload and contender are chosen."""
        chosen = not self.contenders or contender.name in self.contenders
        return chosen and (not self.works or work in self.works)


class Rounds:
    """Measures all chosen workloads and contenders."""

    def __init__(self, stage: Stage, choice: Choice) -> None:
        self._stage = stage
        self._choice = choice
        self.results = Results(works={work.name: work for work in plan.WORKS})

    def run(self) -> Results:
        """Measure all rounds, then the memory once."""
        for number in range(self._choice.rounds):
            print(f"bench: round {number + 1} of {self._choice.rounds}", flush=True)
            with Fleet(self._stage, self.results.missing) as fleet:
                self._round(number, fleet)
        for contender in plan.MEMORY:
            if self._choice.wants("memory", contender):
                with Fleet(self._stage, self.results.missing) as fleet:
                    self._measure("memory", plan.MEMORY_WORK, contender, fleet)
        return self.results

    def _round(self, number: int, fleet: Fleet) -> None:
        for name, contenders in plan.FLOWS.items():
            for contender in plan.turn(contenders, number):
                known = contender is plan.DIRECT and number > 0
                work = None if known or not self._choice.wants(name, contender) else self._work(name)
                if work is not None:
                    self._measure("flow", work, contender, fleet)
        for contender in plan.turn(plan.FIRST_TEXT, number):
            if self._choice.wants("first-text", contender):
                self._measure("first_text", plan.FIRST_TEXT_WORK, contender, fleet)
        for kind, work, contenders in (
            ("burst", plan.BURST, plan.BURSTS),
            ("short", plan.SHORT, plan.SHORTS),
        ):
            for contender in plan.turn(contenders, number):
                if self._choice.wants(work.name, contender):
                    self._measure(kind, work, contender, fleet)

    def _work(self, name: str) -> Work | None:
        """Return a workload by its name; the half-core one is sized once, from Freshet's CPU time in the first round."""
        if name == plan.HALF and name not in self.results.works:
            share, provider, load = (
                self.results.median(plan.CALM.name, plan.FRESHET.name, figure)
                for figure in ("server_share", "provider_share", "load_share")
            )
            if share is None or provider is None or load is None:
                return None
            self.results.works[name] = plan.half_core(share, provider + load)
        return self.results.works[name]

    def _measure(self, kind: str, work: Work, contender: Contender, fleet: Fleet) -> None:
        running, cores = fleet.get(contender), self._stage.cores
        if running is None:
            return
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
        try:
            measured = _load(task, cores)
        except (ValueError, subprocess.TimeoutExpired) as error:
            self.results.failures.append(f"{contender.name} at {work.name}: {error}")
            fleet.retire(contender.server)
            return
        if measured["failed"]:
            fleet.retire(contender.server)
        self.results.add(work.name, contender.name, measured)
        seen = f"{measured['cpu_us']:6.1f} µs a delta" if kind == "flow" else "done"
        print(f"  {work.name:10} {contender.name:12} {seen}", flush=True)


def _load(task: Task, cores: Cores) -> dict[str, Any]:
    """Run the load as a process of its own. Raises `ValueError` with its last output, or `TimeoutExpired`."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.bench.load"]
    with launch(
        command, cores.load, ahead=cores.ahead, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        try:
            said, complained = process.communicate(json.dumps(asdict(task)).encode(), timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    if process.returncode:
        raise ValueError(complained.decode(errors="replace").strip()[-300:])
    measured: dict[str, Any] = json.loads(said)
    return measured
