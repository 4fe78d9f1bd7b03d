"""Runs the rounds: every journal in turn under every work."""

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from tests.bench.cores import await_quiet, launch
from tests.bench.load import Task as StreamTask
from tests.bench.plan import FIRST_TEXT_WORK, Contender, Work, turn
from tests.bench.rounds import Results
from tests.bench.servers import ROOT, Running, UnavailableError
from tests.bench_scale import plan
from tests.bench_scale.load import Task
from tests.bench_scale.servers import Bench, Journals, Place, flask_view, freshet, workers_of

_LONGEST_S = 120
_RESUMES = 60
_LARGE_DELTAS = 52_000  # of 20 bytes: 1 MB of text
_SMALL_DELTAS = 11_500  # of 90 bytes with their record: 1 MB on the wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The choice made on the command line. Empty `works` or `contenders` mean all. `scale` makes works smaller."""

    rounds: int
    seconds: float
    works: tuple[str, ...] = ()
    contenders: tuple[str, ...] = ()
    scale: float = 1.0

    def wants(self, work: str, contender: Contender) -> bool:
        """Return whether a work and a contender are chosen."""
        chosen = not self.contenders or contender.name in self.contenders
        return chosen and (not self.works or work in self.works)

    def fit(self, work: Work) -> Work:
        """Return a work of the chosen scale."""
        streams = max(2, round(work.streams * self.scale))
        return Work(name=work.name, streams=streams, rate=work.rate, ramp_s=work.ramp_s * self.scale)


class Rounds:
    """Measures all chosen works and contenders."""

    def __init__(self, bench: Bench, choice: Choice) -> None:
        self._bench = bench
        self._choice = choice
        self.results = Results(
            works={work.name: choice.fit(work) for work in (*plan.FLOWS, plan.MANY_ANSWERS)}
        )
        self._away: dict[str, Work] = {}

    def run(self) -> Results:
        """Measure all rounds."""
        for number in range(self._choice.rounds):
            print(f"bench-scale: round {number + 1} of {self._choice.rounds}", flush=True)
            with Journals(self._bench) as journals:
                self._measure_streams(number, journals)
                self._measure_away(number, journals)
                self._measure_readers(journals)
                self._measure_resuming(journals)
        return self.results

    def _measure_streams(self, number: int, journals: Journals) -> None:
        """Measure streams that are read where they are asked for, interleaved over all journals."""
        wanted = [work.name for work in plan.FLOWS] + [plan.FIRST_TEXT]
        contenders = [one for one in plan.JOURNALS if any(self._choice.wants(work, one) for work in wanted)]
        with ExitStack() as stack:
            places = {one: journals.make_place(one) for one in contenders}
            servers = {
                one: stack.enter_context(freshet(one.name, self._bench, place, workers_of(one)))
                for one, place in places.items()
            }
            for name in wanted:
                chosen = tuple(one for one in contenders if self._choice.wants(name, one))
                for contender in turn(chosen, number) if chosen else ():
                    await_quiet([running.pid for running in servers.values()])
                    self._measure_stream(name, contender, servers[contender], places[contender])

    def _measure_stream(self, name: str, contender: Contender, running: Running, place: Place) -> None:
        is_flow = name != plan.FIRST_TEXT
        work = self.results.works[name] if is_flow else FIRST_TEXT_WORK
        task = StreamTask(
            kind="flow" if is_flow else "first_text",
            dialect=contender.dialect,
            port=running.port,
            pid=running.pid,
            provider_pid=self._bench.provider.pid,
            streams=work.streams,
            rate=work.rate,
            seconds=self._choice.seconds,
            ramp_s=work.ramp_s,
            server_core=self._bench.cores.server,
            database_pid=place.database_pid,
        )
        self._add(name, contender, "tests.bench.load", asdict(task))

    def _measure_away(self, number: int, journals: Journals) -> None:
        """Measure readers on another worker than their runs', and readers that come back to any."""
        for contender in turn(plan.SHARED, number):
            if not any(self._choice.wants(work, contender) for work in (plan.AWAY, plan.RETURN.name)):
                continue
            place = journals.make_place(contender)
            with ExitStack() as stack:
                pair = [
                    stack.enter_context(freshet(f"{contender.name}-{place_}", self._bench, place, 1))
                    for place_ in ("home", "away")
                ]
                if self._choice.wants(plan.AWAY, contender):
                    work = self._size_away(contender, pair, place)
                    self._measure("away", plan.AWAY, contender, work, pair, place)
                if self._choice.wants(plan.RETURN.name, contender):
                    work = self._choice.fit(plan.RETURN)
                    self._measure("return", plan.RETURN.name, contender, work, pair, place)

    def _size_away(self, contender: Contender, pair: list[Running], place: Place) -> Work:
        """Return the work that takes a quarter of a core, which is found out once."""
        if contender.name not in self._away:
            trial = Work(
                name=plan.AWAY,
                streams=max(2, round(plan.TRIAL_STREAMS * self._choice.scale)),
                rate=50,
                ramp_s=0.2,
            )
            measured = self._load("tests.bench_scale.load", self._task("away", trial, pair, place))
            share = float(measured["server_share"]) / self._choice.scale
            self._away[contender.name] = self._choice.fit(plan.quarter_core(share))
        return self._away[contender.name]

    def _measure_readers(self, journals: Journals) -> None:
        """Measure one answer with many readers beside as many answers with one each."""
        contender = plan.SQLITE
        wanted = [
            work
            for work in (plan.MANY_READERS, plan.MANY_ANSWERS)
            if self._choice.wants(work.name, contender)
        ]
        if not wanted:
            return
        place = journals.make_place(contender)
        with freshet("readers", self._bench, place, workers_of(contender)) as running:
            for work in wanted:
                await_quiet([running.pid])
                if work is plan.MANY_ANSWERS:
                    self._measure_stream(work.name, contender, running, place)
                else:
                    fitting = self._choice.fit(work)
                    self._measure("one_answer", work.name, contender, fitting, [running], place)

    def _measure_resuming(self, journals: Journals) -> None:
        """Measure readers that read 1 MB again, beside a view that sends the same bytes."""
        contender = plan.SQLITE_ONE
        for name, deltas, settings in (
            (plan.RESUME, _LARGE_DELTAS, {}),
            (plan.RESUME_SMALL, _SMALL_DELTAS, {"FRESHET_FRAME_DELTAS": "1"}),
        ):
            if not self._choice.wants(name, contender):
                continue
            body = self._bench.folder / f"{name}.body"
            place = journals.make_place(contender)
            work = Work(name=name, streams=1, rate=0, ramp_s=0.0)
            often = {"repeats": max(2, round(_RESUMES * self._choice.scale))}
            with freshet(name, self._bench, place, 1, **settings) as running:
                made = {"body": str(body), "deltas": max(10, round(deltas * self._choice.scale))}
                self._measure("resume", name, contender, work, [running], place, **often, **made)
            with flask_view(self._bench, body) as running:
                self._measure("resume", name, plan.FLASK_VIEW, work, [running], place, **often)

    def _measure(
        self,
        kind: str,
        name: str,
        contender: Contender,
        work: Work,
        servers: list[Running],
        place: Place,
        **more: Any,
    ) -> None:
        await_quiet([running.pid for running in servers])
        task = self._task(kind, work, servers, place) | more
        self._add(name, contender, "tests.bench_scale.load", task)

    def _task(self, kind: str, work: Work, servers: list[Running], place: Place) -> dict[str, Any]:
        return asdict(
            Task(
                kind=kind,
                ports=[running.port for running in servers],
                pids=[running.pid for running in servers],
                provider_pid=self._bench.provider.pid,
                database_pid=place.database_pid,
                streams=work.streams,
                rate=work.rate,
                seconds=self._choice.seconds,
                ramp_s=work.ramp_s,
                server_core=self._bench.cores.server,
            )
        )

    def _add(self, name: str, contender: Contender, program: str, task: dict[str, Any]) -> None:
        try:
            measured = self._load(program, task)
        except (ValueError, subprocess.TimeoutExpired, UnavailableError) as error:
            self.results.failures.append(f"{contender.name} at {name}: {error}")
            return
        self.results.add(name, contender.name, measured)
        figures = (
            (figure, measured.get(figure)) for figure in ("cpu_us", "p99_ms", "first_text_ms", "caught_up_ms")
        )
        shown = ", ".join(f"{figure} {value:.1f}" for figure, value in figures if value is not None)
        print(f"  {name:16} {contender.name:10} {shown}", flush=True)

    def _load(self, program: str, task: dict[str, Any]) -> dict[str, Any]:
        """Run the load as a process of its own. Raises `ValueError` with its last output, or `TimeoutExpired`."""
        pipe, cores = subprocess.PIPE, self._bench.cores
        with launch(
            [sys.executable, "-m", program],
            cores.load,
            ahead=cores.ahead,
            cwd=ROOT,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        ) as process:
            try:
                said, complained = process.communicate(json.dumps(task).encode(), timeout=_LONGEST_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        if process.returncode:
            raise ValueError(complained.decode(errors="replace").strip()[-300:])
        measured: dict[str, Any] = json.loads(said)
        return measured
