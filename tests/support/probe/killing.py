"""Kills a worker at a named point of its code, once, for one run.

A worker loads this only where KILL_FILE is set. Each point names functions of the product, which are wrapped when their module is
loaded. `arm` writes a point and a run to the file; the first worker that reaches the point with that run kills itself, and
leaves the time beside the file. Nothing of the product is imported here: the tests read the list of points, too.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

When = Literal["before", "after", "hold"]
_HOLD_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """A function at which a worker is killed.

    `find_runs` returns the runs that a call is about, from its arguments; only calls that are about the armed run count, and the
    `nth` of them kills, before it or after it has returned. `hold` makes all these calls wait instead, until the worker is killed
    at another target of the same point. With `pause_s` the worker goes on with everything else for so long before it dies.
    """

    module: str
    function: str
    when: When
    find_runs: Callable[..., Iterable[str]]
    nth: int = 1
    pause_s: float = 0.0

    def find_owner(self, module: ModuleType) -> Any:
        """Return the class or module that has the function. Raises `AttributeError` if there is none."""
        owner: Any = module
        for part in self.function.split(".")[:-1]:
            owner = getattr(owner, part)
        getattr(owner, self.name)
        return owner

    @property
    def name(self) -> str:
        """The function's own name."""
        return self.function.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True)
class Point:
    """A point of an answer's way at which a worker is killed. Several targets are the same point in different journals."""

    name: str
    targets: Sequence[Target]


def _this_run(*_: Any) -> list[str]:
    """Return the run of the current thread."""
    run = sys.modules["webapp.logs"].current_run()
    return [run] if run else []


def _sent_script(script: str) -> Callable[..., list[str]]:
    """Return a function that finds the run in a script's call that was sent to Redis."""

    def find_runs(_self: Any, data: bytes) -> list[str]:
        digest = sys.modules["webapp.journal.redis_channel"]._DIGESTS[script]
        if digest.encode() not in data:
            return []
        prefix = sys.modules["webapp.journal.redis_scripts"].PREFIX
        words = [word.decode(errors="replace") for word in data.split(b"\r\n")]
        return [word.removeprefix(f"{prefix}run:") for word in words if word.startswith(f"{prefix}run:")]

    return find_runs


def _redis(script: str, nth: int = 1) -> Target:
    """Return the point at which a script's call was sent to Redis, and not answered."""
    module, function = "webapp.journal.redis_channel", "_LimitedSocket.sendall"
    return Target(module=module, function=function, when="after", find_runs=_sent_script(script), nth=nth)


def _point(
    name: str,
    place: str,
    when: When,
    find_runs: Callable[..., Iterable[str]],
    *others: Target,
    nth: int = 1,
    pause_s: float = 0.0,
) -> Point:
    module, _, function = place.partition(":")
    target = Target(
        module=module, function=function, when=when, find_runs=find_runs, nth=nth, pause_s=pause_s
    )
    return Point(name=name, targets=(target, *others))


def _is_text(frame: Any) -> bool:
    return bool(frame.kind == "text")


_HELD_SAVE = Target(
    module="webapp.store.saver",
    function="Saver._save",
    when="hold",
    find_runs=lambda _self, batch: [
        queued.write.answer.id
        for queued in batch
        if type(queued.write).__name__ == "TurnEnd" and queued.write.answer.state != "streaming"
    ],
)

POINTS: Sequence[Point] = (
    # The beginning.
    _point(
        "request arrived",
        "webapp.api.start_run:RunStarter.start",
        "before",
        lambda _self, body, *_: [body.run],
    ),
    _point(
        "run written, not committed",
        "webapp.journal.statements:begin",
        "after",
        lambda _connection, entry, *_: [entry.run],
        _redis("begin"),
    ),
    _point(
        "run stored, provider not called",
        "webapp.runs.journaling:Journaling.begin",
        "after",
        lambda _self, run, *_: [run.id],
    ),
    _point(
        "question stored",
        "webapp.store.turns:_TurnWriter.store_question",
        "after",
        lambda self, *_: [self._start.answer.id],
    ),
    _point("provider connected", "webapp.providers.http.client:HttpTransport.post", "after", _this_run),
    # The text.
    _point(
        "before the first text is in the log",
        "webapp.runs.log:RunLog.append",
        "before",
        lambda self, frame, *_: [self.start.run] if _is_text(frame) else [],
    ),
    _point(
        "after the first text is in the log",
        "webapp.runs.log:RunLog.append",
        "after",
        lambda self, frame, *_: [self.start.run] if _is_text(frame) else [],
    ),
    _point(
        "group written, not committed",
        "webapp.journal.statements:append",
        "after",
        lambda _connection, worker, groups, *_: [group.run for group in groups],
        _redis("append", nth=2),
        nth=2,
    ),
    _point(
        "group committed",
        "webapp.runs.record:RunRecord.note_appended",
        "before",
        lambda self, *_: [self.run],
        nth=2,
    ),
    # The end.
    _point(
        "answer complete, not saved",
        "webapp.store.turns:_TurnWriter.store_answer",
        "before",
        lambda self, *_: [self._start.answer.id],
    ),
    _point(
        "answer saved, end not offered to the journal",
        "webapp.runs.record:RunRecord.end",
        "before",
        lambda self, *_: [self.run],
    ),
    _point(
        "end written, not committed",
        "webapp.journal.statements:end",
        "after",
        lambda _connection, worker, group, *_: [group.run],
        _redis("end"),
    ),
    _point(
        "end stored, terminal frame not sent",
        "webapp.runs.record:RunRecord.end",
        "after",
        lambda self, *_: [self.run],
    ),
    _point(
        "terminal frame sent, answer not saved",
        "webapp.runs.ending:close_log",
        "after",
        lambda log, *_: [log.start.run],
        _HELD_SAVE,
        pause_s=0.2,
    ),
    _point(
        "terminal frame sent, answer saved",
        "webapp.runs.run:Run._finish",
        "after",
        lambda self, *_: [self.id],
        pause_s=0.2,
    ),
    # A shutdown.
    _point("run about to be left", "webapp.runs.run:Run.leave", "before", lambda self, *_: [self.id]),
    _point(
        "run left, last frames not stored",
        "webapp.runs.run:Run.leave",
        "after",
        lambda self, *_: [self.id],
    ),
    _point(
        "run left, lease not released",
        "webapp.runs.lease:Lease.stop",
        "before",
        lambda *_: ["*"],
    ),
    _point(
        "run left, lease released",
        "webapp.runs.lease:Lease.stop",
        "after",
        lambda *_: ["*"],
    ),
    # A takeover.
    _point(
        "takeover not claimed",
        "webapp.runs.takeover:Takeovers._take",
        "before",
        lambda _self, row, *_: [row.run],
    ),
    _point(
        "takeover claimed",
        "webapp.runs.takeover:Takeovers._go_on_apart",
        "before",
        lambda _self, lost, *_: [lost.row.run],
    ),
    _point(
        "takeover begun, provider not called",
        "webapp.runs.producer:Producer._read_provider",
        "before",
        lambda self: [self._log.start.run] if self._epoch > 1 else [],
    ),
    _point(
        "takeover, before its first text",
        "webapp.runs.log:RunLog.append",
        "before",
        lambda self, frame, epoch: [self.start.run] if epoch > 1 and _is_text(frame) else [],
    ),
    _point(
        "takeover ends the answer, saved and not in the journal",
        "webapp.runs.lost_end:LostRunEnder._write_end",
        "before",
        lambda _self, group, *_: [group.run],
    ),
)


@dataclass(frozen=True)
class Struck:
    """When a worker was killed: by `time.monotonic`, which all processes of a machine share, and in seconds since 1970."""

    at: float
    wall: float


class KillFile:
    """The file by which workers learn where they die, at a path that they share."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._struck = path.with_name(f"{path.name}.struck")

    def arm(self, point: str, run: str, how: int = signal.SIGKILL) -> None:
        """Let the next worker die that reaches this point with this run, or stop it with another signal."""
        self._struck.unlink(missing_ok=True)
        fresh = path_beside(self.path)
        fresh.write_text(json.dumps([point, run, int(how)]))
        fresh.replace(self.path)

    def disarm(self) -> None:
        """Let no worker die any more."""
        self.path.unlink(missing_ok=True)

    def read_armed(self) -> tuple[str, str, int] | None:
        """Return the point, the run and the signal; None if no worker is to die."""
        try:
            point, run, how = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return None
        return point, run, how

    def find_struck(self) -> Struck | None:
        """Return when a worker was killed; None if none was since `arm`."""
        try:
            at, wall = map(float, self._struck.read_text().split())
        except (FileNotFoundError, ValueError):  # not there, or not written yet
            return None
        return Struck(at, wall)

    def strike(self) -> None:
        """Kill this process, unless another has died at the point already."""
        armed = self.read_armed()
        try:
            descriptor = os.open(self._struck, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            return
        os.write(descriptor, f"{time.monotonic()} {time.time()}".encode())
        self.disarm()
        # To this thread: another one would be woken for it first, while this one goes on beyond the point.
        signal.pthread_kill(_this_thread(), signal.SIGKILL if armed is None else armed[2])


def _this_thread() -> int:
    """Return the identifier of the operating system's thread, which gevent hides."""
    monkey = sys.modules.get("gevent.monkey")
    find: Callable[[], int] = (
        threading.get_ident if monkey is None else monkey.get_original("_thread", "get_ident")
    )
    return find()


def path_beside(path: Path) -> Path:
    """Return the path of a file that is to replace another."""
    return path.with_name(f"{path.name}.new")


class _Trigger:
    """Kills at one target of one point."""

    def __init__(self, file: KillFile, point: Point, target: Target) -> None:
        self._file = file
        self._point = point
        self._target = target
        self._run = ""
        self._count = 0

    def is_due(self, arguments: tuple[Any, ...]) -> bool:
        """Return whether this call is the one."""
        armed = self._file.read_armed()
        if armed is None or armed[0] != self._point.name:
            return False
        run = armed[1]
        if not {run, "*"} & set(self._target.find_runs(*arguments)):
            return False
        if run != self._run:
            self._run, self._count = run, 0
        self._count += 1
        return self._target.when == "hold" or self._count == self._target.nth

    def strike(self) -> None:
        """Kill this process, after the target's pause."""
        if self._target.pause_s:
            time.sleep(self._target.pause_s)
        self._file.strike()

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same, but for the call that is due."""

        def killing(*arguments: Any, **named: Any) -> Any:
            is_due = self.is_due((*arguments, *named.values()))
            if is_due and self._target.when == "hold":
                time.sleep(_HOLD_S)
            if is_due and self._target.when == "before":
                self.strike()
            result = call(*arguments, **named)
            if is_due and self._target.when == "after":
                self.strike()
            return result

        return killing


class _Wrapping(MetaPathFinder):
    """Finds modules as Python does, and wraps their functions as soon as they are loaded."""

    def __init__(self, file: KillFile) -> None:
        self._triggers: dict[str, list[tuple[Target, _Trigger]]] = {}
        for point in POINTS:
            for target in point.targets:
                trigger = _Trigger(file, point, target)
                self._triggers.setdefault(target.module, []).append((target, trigger))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module with targets; None for others, which Python then finds itself."""
        if fullname not in self._triggers:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_wrap(module: ModuleType) -> None:
            execute(module)
            self._wrap(module)

        spec.loader.exec_module = execute_and_wrap  # type: ignore[method-assign]
        return spec

    def _wrap(self, module: ModuleType) -> None:
        for target, trigger in self._triggers[module.__name__]:
            owner = target.find_owner(module)
            setattr(owner, target.name, trigger.wrap(getattr(owner, target.name)))


def install(path: str) -> None:
    """Wrap the targets of all points in the modules that this process loads from now on."""
    sys.meta_path.insert(0, _Wrapping(KillFile(Path(path))))
