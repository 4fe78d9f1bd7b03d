"""`freshet serve`: starts the server under gunicorn."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys

from webapp.wiring import read_settings


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("serve", help="start the server (gunicorn with a gevent worker)")
    parser.add_argument("--host", help="the address to bind (default: FRESHET_HOST, else 127.0.0.1)")
    parser.add_argument("--port", type=int, help="the port to bind (default: PORT, else 8000)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Replace this process by gunicorn. Without a password, and not public, the server runs in local mode."""
    settings = read_settings()
    host = options.host or settings.host or "127.0.0.1"
    port = next(port for port in (options.port, settings.port, 8000) if port is not None)
    url_host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    command = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.server"]
    command += ["--bind", f"{url_host}:{port}", "webapp:create_app()"]
    if settings.access_password is None and not settings.public:
        dataclasses.replace(settings, local=True).require_loopback(host)
        os.putenv("FRESHET_LOCAL", "true")
        os.putenv("FRESHET_HOST", host)  # with PORT alone, the settings would bind all addresses
    os.execv(sys.executable, command)  # noqa: S606  (our own interpreter, no shell)
