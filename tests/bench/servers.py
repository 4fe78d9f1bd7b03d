"""Starts and ends the servers, one process tree each on the server's core, and the provider on the other."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.bench.client import Client, Stream
from tests.bench.cores import Cores, launch
from tests.bench.dialects import Dialect
from tests.bench.figures import read
from tests.bench.peers.install import Peers
from tests.bench.question import Order
from tests.support.server import free_port

ROOT = Path(__file__).resolve().parents[2]
FRESHET = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.server", "webapp:create_app()"]
_READY_S = 20.0
_MAX_STREAMS = 1200
_NGINX_CONF = """
daemon off; worker_processes 1; pid nginx.pid; error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass {upstream};
            proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


class UnavailableError(Exception):
    """A server could not be started; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running server: its port, and the root of its process tree."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A server's process, which need not respond yet, and its log."""

    popen: subprocess.Popen[bytes]
    log: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The running fake provider, and the file of the authority that signed its certificate."""

    plain: int
    tls: int
    pid: int
    authority: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that is needed to start a server."""

    folder: Path
    cores: Cores
    peers: Peers
    provider: Provider


@contextmanager
def provider(folder: Path, cores: Cores) -> Iterator[Provider]:
    """Run the fake provider, plain and TLS."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, certificate = folder / "ca.pem", folder / "provider.pem"
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(str(authority))
    issuer.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    command = [sys.executable, "-m", "tests.bench.provider", str(certificate)]
    process = launch(command, cores.load, ahead=cores.ahead, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    try:
        ports = json.loads(process.stdout.readline())
        yield Provider(plain=ports["plain"], tls=ports["tls"], pid=process.pid, authority=authority)
    finally:
        _end(process)
        process.stdout.close()


@contextmanager
def server(name: str, stage: Stage, dialect: Dialect) -> Iterator[Running]:
    """Start a server and wait until it responds. Raises `UnavailableError`."""
    peer = name.removesuffix("-tls")
    if peer in stage.peers.missing:
        raise UnavailableError(stage.peers.missing[peer])
    port = free_port()
    command, environ = _command(name, stage, port)
    with serving(name, command, environ, stage.folder, stage.cores) as started:
        await_answer(started, port, dialect)
        yield Running(port=port, pid=started.popen.pid)


@contextmanager
def serving(
    name: str, command: list[str], environ: dict[str, str], folder: Path, cores: Cores
) -> Iterator[Started]:
    """Run a server on the server's core, which logs to a file in `folder`."""
    logs = folder / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    core, ahead = cores.server, cores.ahead
    with log.open("wb") as sink:
        popen = launch(
            command, core, ahead=ahead, env=environ, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT
        )
    try:
        yield Started(popen=popen, log=log)
    finally:
        _end(popen)


def _command(name: str, stage: Stage, port: int) -> tuple[list[str], dict[str, str]]:
    python = str(stage.peers.python)
    environ = basic_environ(stage.provider)
    if name == "nginx":
        return _nginx(stage, port, f"http://127.0.0.1:{stage.provider.plain}"), environ
    if name == "nginx-tls":
        return _nginx(stage, port, f"https://127.0.0.1:{stage.provider.tls}"), environ
    if name == "starlette":
        options = ["--port", str(port), "--log-level", "warning", "--no-access-log", "--backlog", "4096"]
        return [python, "-m", "uvicorn", "tests.bench.peers.passthrough:app", *options], environ
    if name == "plain":
        options = ["-k", "gevent", "-w", "1", "-b", f"127.0.0.1:{port}", "--worker-connections", "1200"]
        return [python, "-m", "gunicorn", *options, "tests.bench.peers.plain_loop:app"], environ
    environ |= freshet_environ(stage.provider, port, stage.folder / "data" / name)
    if name == "freshet-tls":
        environ["OPENAI_BASE_URL"] = f"https://127.0.0.1:{stage.provider.tls}/v1"
    return FRESHET, environ


def basic_environ(provider: Provider) -> dict[str, str]:
    """Return the few variables that every server gets."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "LANG": "C.UTF-8",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{provider.plain}/v1",
    }


def freshet_environ(provider: Provider, port: int, folder: Path) -> dict[str, str]:
    """Return the settings of Freshet, whose data folder is `folder`."""
    return {
        "PORT": str(port),
        "FRESHET_HOST": "127.0.0.1",
        "FRESHET_LOCAL": "true",
        "FRESHET_PROVIDER": "openai",
        "FRESHET_MAX_STREAMS": str(_MAX_STREAMS),
        "OPENAI_API_KEY": "x",
        "SSL_CERT_FILE": str(provider.authority),
        "FRESHET_DATA_DIR": str(folder),
    }


def _nginx(stage: Stage, port: int, upstream: str) -> list[str]:
    prefix = stage.folder / f"nginx-{upstream.partition(':')[0]}"
    prefix.mkdir(parents=True, exist_ok=True)
    conf = prefix / "nginx.conf"
    conf.write_text(_NGINX_CONF.format(port=port, upstream=upstream))
    return [str(stage.peers.nginx), "-e", "stderr", "-p", str(prefix), "-c", str(conf)]


def await_answer(started: Started, port: int, dialect: Dialect) -> None:
    """Warm a server up: play short streams until one is complete. Raises `UnavailableError`."""
    deadline, failure = time.monotonic() + _READY_S, "no answer"
    while time.monotonic() < deadline:
        if started.popen.poll() is not None:
            failure = f"it ended with {started.popen.returncode}"
            break
        client = Client(port)
        stream = Stream(dialect, Order(deltas=20, rate=100, phase_us=0), port)
        client.open(stream)
        client.finish(time.monotonic_ns() + 2_000_000_000)
        failure = read(stream).failure
        if not failure:
            return
        time.sleep(0.1)
    last_words = started.log.read_text(errors="replace").strip().splitlines()[-1:]
    raise UnavailableError(f"{failure} ({' '.join(last_words)})")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process group that was started here, by the id of its leader."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except ProcessLookupError:
            break
        try:
            process.wait(timeout=1.5)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
