"""`freshet serve`: the server, as the Procfile starts it."""

from __future__ import annotations

import argparse
import os
import sys


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("serve", help="start the server (gunicorn with the gevent worker)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to bind (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="the port to bind (default: 8000)")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Become gunicorn; this process is replaced."""
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    command = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.server"]
    command += ["--bind", f"{host}:{chosen.port}", "webapp:create_app()"]
    os.execv(sys.executable, command)  # noqa: S606  (our own interpreter, no shell)
