"""The command line: `freshet serve | migrate | users | keys | ingest | search | chat | demo | doctor | models | config`.

Exit codes: 0 success, 1 a failed answer or an unreachable database, 2 a wrong argument or setting, 130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from importlib import import_module

from webapp import __version__
from webapp.errors import AnswerError, ConfigurationError, RequestError

# Each command, and the module that adds it: what the others import takes longer than some commands do.
_MODULES = {
    "serve": "serve",
    "migrate": "migrate",
    "users": "users",
    "keys": "keys",
    "ingest": "ingest",
    "search": "ingest",
    "chat": "chat",
    "demo": "demo",
    "doctor": "doctor",
    "models": "inspect",
    "config": "inspect",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(
        prog="freshet", description="A streaming chat server with a web page, and its command line."
    )
    parser.add_argument("--version", action="version", version=f"freshet {__version__}")
    subparsers = parser.add_subparsers(metavar="command", required=True)
    modules = (
        [_MODULES[given[0]]] if given and given[0] in _MODULES else list(dict.fromkeys(_MODULES.values()))
    )
    for module in modules:
        import_module(f"webapp.cli.{module}").add_parser(subparsers)
    options = parser.parse_args(given)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # an answer may have characters that the terminal cannot encode
    try:
        code: int = options.run(options)
    except (ConfigurationError, RequestError) as error:
        print(f"freshet: {error}", file=sys.stderr)
        return 2
    except AnswerError as error:
        print(f"freshet: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # otherwise Python reports the unflushed stdout at exit
        return 0
    return code
