"""gunicorn's settings: `gunicorn -c python:webapp.server 'webapp:create_app()'`.

gunicorn imports this module in its master, before the worker patches the standard library: nothing here
may import ssl, requests or Flask.
"""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

from webapp.access.allowances import allowances_of
from webapp.catalog.models import ModelTable
from webapp.errors import ConfigurationError
from webapp.settings import Settings

log_ = logging.getLogger("freshet.server")

_SPARE_CONNECTIONS = 200  # for those who are told that the server is full, and for the page's own files
_GRACEFUL_S = 25
_GOING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

try:
    _settings = Settings.read(os.environ)
    ModelTable.read(_settings.models_file)
except ConfigurationError as _error:
    raise SystemExit(f"freshet: {_error}") from None

bind = [_settings.bind]
worker_class = "webapp.worker.Worker"
logger_class = "webapp.worker.ServerLogger"
workers = 1
worker_connections = 2 * _settings.max_streams + _SPARE_CONNECTIONS
timeout = 60
graceful_timeout = _GRACEFUL_S
keepalive = 2
limit_request_line = 8190
limit_request_field_size = 16_380
accesslog = None
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'  # no query strings: they hold questions
errorlog = "-"
loglevel = "info"
proc_name = "freshet"
control_socket_disable = True
forwarded_allow_ips = ""  # which proxies count is FRESHET_TRUSTED_PROXIES' affair; see `access/addresses.py`


def on_starting(server: Any) -> None:
    """Hold to one worker, whatever the environment says, and to loopback in local mode."""
    _check_local(server)
    asked = max(server.cfg.workers, _settings.web_concurrency)
    if asked > 1:
        server.log.warning(
            "one worker runs instead of %d: answers are kept in memory and cannot be shared between workers yet",
            asked,
        )
    server.cfg.set("workers", 1)
    server.num_workers = 1


def _check_local(server: Any) -> None:
    """Refuse local mode on what is bound by the command line, too."""
    for address in server.cfg.address:
        host = str(address[0]) if isinstance(address, tuple) else str(address)
        try:
            _settings.check_local(host)
        except ConfigurationError as error:
            raise SystemExit(f"freshet: {error}") from None


def when_ready(server: Any) -> None:
    """Say what a person wants to know after `make run`."""
    for address in server.cfg.address:
        host, port = address[:2] if isinstance(address, tuple) else (address, "")
        shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
        server.log.info("Freshet is at http://%s:%s", shown, port)
    server.log.info(_admission())
    name = _settings.default_provider
    server.log.info("answers come from %s", name)
    if name == "mock":
        server.log.info(
            "these are demo answers: set OPENAI_API_KEY, ANTHROPIC_API_KEY or OLLAMA_HOST for real ones"
        )


def _admission() -> str:
    """Describe in one line who may come in, and within which limits."""
    if _settings.access_password:
        who = "with the password"
    elif _settings.local:
        caps = allowances_of(_settings)["user"]
        return (
            "open for this computer only (FRESHET_LOCAL), to one user without a password; nothing is counted, "
            f"but caps hold: {caps.max_tokens} tokens, {caps.question_bytes // 1024} kB asked, "
            f"{caps.stored_bytes // 1024**2} MB stored"
        )
    elif _settings.public or _settings.only_mock:
        who = "for everybody"
    else:
        return "locked: set FRESHET_ACCESS_PASSWORD, or FRESHET_PUBLIC=true, and restart"
    limits = [f"{kind}: {allowance.described()}" for kind, allowance in allowances_of(_settings).items()]
    return f"open {who}; limits: {'; '.join(limits)}"


def pre_fork(_server: Any, _worker: Any) -> None:
    """Keep what tells a new worker to go until it can hear it; see `post_fork`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _GOING)


def post_fork(_server: Any, _worker: Any) -> None:
    """Let a worker that is told to go while it starts do so: until it is up it would not hear its master."""
    for number in _GOING:
        signal.signal(number, _leave)
    _hear()


def _leave(_number: int, _frame: Any) -> None:
    raise SystemExit(0)


def _hear() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _GOING)


os.register_at_fork(after_in_parent=_hear)
