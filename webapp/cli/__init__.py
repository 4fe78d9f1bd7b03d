"""The terminal command: `freshet serve | migrate | users | chat | demo | models | config`.

Exit codes: 0 done, 1 the answer failed, 2 the command or a setting is wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

from webapp import __version__
from webapp.cli import chat, demo, inspect, migrate, serve, users
from webapp.errors import AnswerError, ConfigurationError, RequestError

_COMMANDS = (serve, migrate, users, chat, demo, inspect)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="freshet", description="A streaming chat server, and its terminal.")
    parser.add_argument("--version", action="version", version=f"freshet {__version__}")
    commands = parser.add_subparsers(metavar="command", required=True)
    for command in _COMMANDS:
        command.add_to(commands)
    chosen = parser.parse_args(arguments)
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")  # an answer may hold what the terminal cannot write
    try:
        code: int = chosen.run(chosen)
    except (ConfigurationError, RequestError) as error:
        print(f"freshet: {error}", file=sys.stderr)
        return 2
    except AnswerError as error:
        print(f"freshet: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # who read us has gone: there is nobody to complain to
        return 0
    return code
