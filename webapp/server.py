"""gunicorn's configuration: `gunicorn -c python:webapp.server 'webapp:create_app()'`.

gunicorn imports this module in its master process, before the worker patches the standard library. So nothing here
may import ssl, requests or Flask.
"""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

from webapp import logs
from webapp.access.allowances import allowances_of
from webapp.catalog.models import ModelTable
from webapp.errors import ConfigurationError
from webapp.metrics_folder import MetricsFolder
from webapp.settings import Settings

log_ = logging.getLogger("freshet.server")

_SPARE_CONNECTIONS = 200  # for refusals while the server is full, and for the page's files
_GRACEFUL_S = 25
_METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client reads it when it is imported
_metrics_folder: MetricsFolder | None = None
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)

try:
    _settings = Settings.read(os.environ)
    ModelTable.read(_settings.models_file)
except ConfigurationError as _error:
    raise SystemExit(f"freshet: {_error}") from None

logs.use(logs.LineFormatter(_settings.log_format, _settings.secrets()))

bind = [_settings.bind]
worker_class = "webapp.worker.Worker"
logger_class = "webapp.worker.ServerLogger"
workers = _settings.web_concurrency
worker_connections = 2 * _settings.max_streams + _SPARE_CONNECTIONS
timeout = 60
graceful_timeout = _GRACEFUL_S
keepalive = 2
limit_request_line = 8190
limit_request_field_size = 16_380
accesslog = None
access_log_format = (
    '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'  # without query strings, which contain questions
)
errorlog = "-"
loglevel = "info"
proc_name = "freshet"
control_socket_disable = True
forwarded_allow_ips = ""  # FRESHET_TRUSTED_PROXIES decides; see `access/addresses.py`


def on_starting(server: Any) -> None:
    """Check the addresses and the number of workers, and say what is not kept."""
    _require_loopback(server)
    _check_workers(server)
    if _settings.dyno and _settings.database_url is None:
        server.log.warning(
            "conversations, shared links and sign-in sessions are lost with each restart of this dyno, at least once a day: "
            "add a Postgres, which sets DATABASE_URL"
        )
    _open_metrics_folder(server)


def _check_workers(server: Any) -> None:
    """Set the number of workers to one where they could not share answers in progress."""
    if _settings.journal == "memory" and server.cfg.workers > 1:
        server.log.warning(
            "one worker runs instead of %d: FRESHET_JOURNAL=memory is not shared between workers",
            server.cfg.workers,
        )
        server.cfg.set("workers", 1)
        server.num_workers = 1


def _open_metrics_folder(server: Any) -> None:
    """Create the folder in which the workers share their metrics; where none can be made, each returns its own."""
    global _metrics_folder  # noqa: PLW0603  (gunicorn's hooks are functions of this module)
    os.environ.pop(_METRICS_FOLDER, None)
    try:
        _metrics_folder = MetricsFolder(_settings.data_dir)
    except OSError as error:
        server.log.warning(
            "each worker counts its own metrics: %s cannot be used: %s", _settings.data_dir, error
        )
        return
    os.environ[_METRICS_FOLDER] = str(_metrics_folder.path.resolve())


def _require_loopback(server: Any) -> None:
    """Check the bound addresses, which the command line may have changed. Raises `SystemExit`."""
    for address in server.cfg.address:
        host = str(address[0]) if isinstance(address, tuple) else str(address)
        try:
            _settings.require_loopback(host)
        except ConfigurationError as error:
            raise SystemExit(f"freshet: {error}") from None


def when_ready(server: Any) -> None:
    """Log the URL, who has access, and the provider."""
    for address in server.cfg.address:
        host, port = address[:2] if isinstance(address, tuple) else (address, "")
        url_host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
        server.log.info("Freshet is at http://%s:%s", url_host, port)
    server.log.info(_describe_access())
    name = _settings.default_provider
    server.log.info("answers come from %s", name)
    if name == "mock":
        server.log.info(
            "these are demo answers: set OPENAI_API_KEY, ANTHROPIC_API_KEY or OLLAMA_HOST for real ones"
        )


def _describe_access() -> str:
    """Return one line that says who may use the server, and within which limits."""
    if _settings.access_password:
        audience = "to everybody with the password"
    elif _settings.local:
        caps = allowances_of(_settings)["user"]
        return (
            "open to this computer only (FRESHET_LOCAL), for one user without a password; no rate limits, "
            f"but these caps: {caps.max_tokens} tokens and {caps.reasoning_tokens} of reasoning, {caps.question_bytes // 1024} kB per question, "
            f"{caps.stored_bytes // 1024**2} MB of storage"
        )
    elif _settings.public or _settings.is_mock_only:
        audience = "to everybody"
    else:
        return "locked: set FRESHET_ACCESS_PASSWORD, or FRESHET_PUBLIC=true, and restart"
    limits = [f"{kind}: {allowance.describe()}" for kind, allowance in allowances_of(_settings).items()]
    return f"open {audience}; limits: {'; '.join(limits)}"


def pre_fork(_server: Any, _worker: Any) -> None:
    """Block stop signals until the new worker can handle them; see `post_fork`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)


def post_fork(server: Any, worker: Any) -> None:
    """Make a worker exit if it is stopped while it starts: gunicorn installs the worker's own handlers only later."""
    for number in _STOP_SIGNALS:
        signal.signal(number, _exit)
    _unblock_signals()
    _reserve_metrics(server, worker.pid)


def _reserve_metrics(server: Any, worker: int) -> None:
    """Reserve disk space for a worker's metrics; without it, the worker counts in memory."""
    if _metrics_folder is None:
        return
    try:
        _metrics_folder.reserve(worker)
    except OSError as error:
        os.environ.pop(_METRICS_FOLDER, None)  # of this worker alone
        server.log.warning("this worker's metrics are kept in memory: %s", error)


def child_exit(_server: Any, worker: Any) -> None:
    """Remove what the metrics say of an ended worker's current runs."""
    if _metrics_folder is not None:
        _metrics_folder.forget_current(worker.pid)


def _exit(_number: int, _frame: Any) -> None:
    raise SystemExit(0)


def _unblock_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP_SIGNALS)


os.register_at_fork(after_in_parent=_unblock_signals)
