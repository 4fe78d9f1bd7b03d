"""`freshet serve`: the server, as the Procfile starts it."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys

from webapp.wiring import read_settings


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("serve", help="start the server (gunicorn with the gevent worker)")
    parser.add_argument("--host", help="the address to bind (default: FRESHET_HOST, else 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to bind (default: PORT, else 8000)")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Become gunicorn; this process is replaced."""
    settings = read_settings()
    named = chosen.host or settings.host or "127.0.0.1"
    port = next(port for port in (chosen.port, settings.port, 8000) if port is not None)
    host = f"[{named}]" if ":" in named and not named.startswith("[") else named
    command = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.server"]
    command += ["--bind", f"{host}:{port}", "webapp:create_app()"]
    if settings.access_password is None and not settings.public:
        dataclasses.replace(settings, local=True).check_local(named)
        os.putenv("FRESHET_LOCAL", "true")
        os.putenv("FRESHET_HOST", named)  # with PORT alone the settings would mean all addresses
    os.execv(sys.executable, command)  # noqa: S606  (our own interpreter, no shell)
