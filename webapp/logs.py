"""The form of log lines: text or JSON, each with the run that it is about, and without the settings' secrets.

The run is that of the current thread or greenlet (`set_run`, `run_context`), or the `run` in a call's `extra`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

import msgspec

LogFormat = Literal["text", "json"]

RUN_CHARS = 8
"""How much of a run's id is logged: enough to find its lines; with the whole id an anonymous answer could be read."""

_MIN_SECRET_CHARS = 6  # a shorter one may be a part of any word
_MASK = "••••••"
_LONG_SEGMENT = re.compile(rf"(?<=/)([A-Za-z0-9_-]{{{RUN_CHARS}}})[A-Za-z0-9_-]{{12,}}(?=/|$)")
_NOT_ID = re.compile(r"[^A-Za-z0-9_-]")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
_ACCESS_FIELDS = {"address": "h", "method": "m", "path": "U", "status": "s", "bytes": "B", "ms": "M"}

_run: ContextVar[str | None] = ContextVar("run", default=None)


def set_run(run: str | None) -> None:
    """Name the run that this thread's following lines are about, or none."""
    _run.set(run)


def current_run() -> str | None:
    """Return the run that this thread's lines are about."""
    return _run.get()


@contextmanager
def run_context(run: str | None) -> Iterator[None]:
    """Name the run that the lines within are about."""
    token = _run.set(run)
    try:
        yield
    finally:
        _run.reset(token)


def shorten_ids(path: str) -> str:
    """Shorten the ids and tokens in a URL's path: whoever has a whole one may read what it names."""
    return _LONG_SEGMENT.sub(r"\1…", path)


class LineFormatter(logging.Formatter):
    """Formats records as lines of text or of JSON."""

    def __init__(self, form: LogFormat = "text", secrets: Sequence[str] = ()) -> None:
        super().__init__("%(asctime)s [%(process)d] %(levelname)s %(name)s: %(message)s")
        self._is_json = form == "json"
        self._secrets = [secret for secret in secrets if len(secret) >= _MIN_SECRET_CHARS]

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; as text, a traceback follows on lines of its own."""
        return self._redact(self._to_json(record) if self._is_json else super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (the standard library's name)
        """Return the first line of a record as text: no caller's text may begin another one."""
        run = _run_of(record)
        record.message = (f"run {run}: " if run else "") + _CONTROL.sub(_escape, record.message)
        return super().formatMessage(record)

    def _to_json(self, record: logging.LogRecord) -> str:
        body: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "pid": record.process,
        }
        run = _run_of(record)
        if run:
            body["run"] = run
        body["message"] = record.getMessage()
        if record.name == "gunicorn.access" and isinstance(record.args, Mapping):
            body |= {name: record.args[atom] for name, atom in _ACCESS_FIELDS.items()}
        if record.exc_info:
            body["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(body, enc_hook=str).decode(errors="replace")

    def _redact(self, line: str) -> str:
        for secret in self._secrets:
            if secret in line:
                line = line.replace(secret, _MASK)
        return line


def _run_of(record: logging.LogRecord) -> str:
    """Return the beginning of the id of the run that a record is about; "" without one. A caller may have chosen it."""
    run = getattr(record, "run", None) or _run.get() or ""
    return _NOT_ID.sub("", run)[:RUN_CHARS]


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


_formatter = LineFormatter()


def use(formatter: LineFormatter) -> None:
    """Choose the formatter of this process and of those that it forks."""
    global _formatter  # noqa: PLW0603  (like the loggers themselves, one for the process)
    _formatter = formatter
    # No line names a thread, and finding that out costs a greenlet as much as the rest of its record.
    logging.logThreads = logging.logMultiprocessing = False


def chosen_formatter() -> LineFormatter:
    """Return the formatter of this process."""
    return _formatter
