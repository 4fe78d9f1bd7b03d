"""`freshet demo`: the same question to one provider or all, with usage, speed and cost."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from webapp.chat import ModelMessage, ModelRequest, ModelResponse
from webapp.cli.terminal_output import format_money, format_usage
from webapp.client import LocalClient, StreamStats
from webapp.errors import FreshetError
from webapp.settings import PROVIDERS, Settings
from webapp.wiring import DEFAULT_MAX_TOKENS, create_provider, read_settings

_QUESTION = "What makes a streamed answer pleasant to read?"
_ALL = ("client", "mock", "anthropic", "openai", "ollama")
_TITLE_EVERY = 25  # deltas
_DEMO_DELAY_MS = 20.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("demo", help="stream the same question through one provider, or all")
    parser.add_argument(
        "--provider",
        "-p",
        choices=[*sorted(PROVIDERS), "all", "client"],
        default="mock",
        help="the provider; `client` is the Python client, `all` runs every one (default: mock)",
    )
    parser.add_argument("--model", "-m", help="the provider's model")
    parser.add_argument(
        "--mock", action="store_true", help="replay a recorded answer of the provider: no key, no network"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run one demo, or all of them even if some fail. Return 1 when any has failed."""
    settings = read_settings()
    if options.mock:
        settings = dataclasses.replace(
            settings,
            provider=None,
            skip_api_key_check=True,
            openai_api_key=None,
            openai_base_url=None,
            anthropic_api_key=None,
            ollama_host=None,
        )
    failures = 0
    for name in _ALL if options.provider == "all" else (options.provider,):
        model = options.model if options.provider != "all" else None
        failures += not _run_demo(name, model, settings)
    return 1 if failures else 0


def _run_demo(name: str, model: str | None, settings: Settings) -> bool:
    """Print an answer and its figures; return whether it succeeded."""
    print(f"\n── {name} " + "─" * max(0, 60 - len(name)))
    print(f"› {_QUESTION}\n")
    stats = StreamStats(_Progress())
    try:
        ask = _ask_client if name == "client" else _ask_provider
        response = ask(name, model, settings, stats)
    except FreshetError as error:
        print(f"\n{name} failed: {error}", file=sys.stderr)
        return False
    _print_figures(response, stats)
    return True


def _ask_client(name: str, model: str | None, settings: Settings, stats: StreamStats) -> ModelResponse:
    del name
    with LocalClient(settings=settings, model=model) as client:
        client.query_streaming(_QUESTION, stats, max_tokens=DEFAULT_MAX_TOKENS)
        if client.last_response is None:
            raise FreshetError("the client has no response")
        return client.last_response


def _ask_provider(name: str, model: str | None, settings: Settings, stats: StreamStats) -> ModelResponse:
    options: dict[str, Any] = {"delay_ms": _DEMO_DELAY_MS} if name == "mock" else {}
    provider = create_provider(name, model, settings=settings, **options)
    request = ModelRequest(messages=[ModelMessage.user(_QUESTION)], max_tokens=DEFAULT_MAX_TOKENS)
    return provider.stream_with_callback(request, stats)


class _Progress:
    """Prints deltas as they arrive, and counts them in the terminal's title."""

    def __init__(self) -> None:
        self._count = 0
        self._write_title: Callable[[str], object] = (
            sys.stderr.write if sys.stderr.isatty() else lambda _: None
        )

    def __call__(self, delta: str, so_far: str | ModelResponse) -> None:
        """Print a delta."""
        del so_far
        print(delta, end="", flush=True)
        self._count += 1
        if self._count % _TITLE_EVERY == 0:
            self._write_title(f"\x1b]0;{self._count} deltas\x07")


def _print_figures(response: ModelResponse, stats: StreamStats) -> None:
    speed = stats.tokens_per_second
    rows = [
        ("model", response.model),
        ("provider", response.provider),
        ("content length", f"{len(response.content)} characters"),
        ("tokens", format_usage(response.usage)),
        ("speed", "" if speed is None else f"{speed:.1f} tokens/s"),
        ("estimated cost", format_money(response.cost)),
        ("finish reason", str(response.finish_reason)),
    ]
    print("\n")
    for name, value in rows:
        print(f"{name:>15}  {value}")
