"""`freshet demo`: the same question to each provider, with progress and figures."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Callable
from typing import Any

from webapp.chat import ModelMessage, ModelRequest, ModelResponse
from webapp.cli.show import money, tokens
from webapp.client import LocalClient, StreamStats
from webapp.errors import FreshetError
from webapp.settings import PROVIDERS, Settings
from webapp.wiring import DEFAULT_MAX_TOKENS, create_provider, read_settings

_QUESTION = "What makes a streamed answer pleasant to read?"
_ALL = ("client", "mock", "anthropic", "openai", "ollama")
_PROGRESS_EVERY = 25  # deltas
_DEMO_DELAY_MS = 20.0


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("demo", help="stream the same question through one provider, or all")
    parser.add_argument(
        "--provider",
        "-p",
        choices=[*sorted(PROVIDERS), "all", "client"],
        default="mock",
        help="default: mock",
    )
    parser.add_argument("--model", "-m", help="the provider's model")
    parser.add_argument(
        "--mock", action="store_true", help="play the provider's recording; no key, no network"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Show one, or all; one that fails does not stop the others. 1 when any failed."""
    settings = read_settings()
    if chosen.mock:
        settings = dataclasses.replace(
            settings,
            provider=None,
            skip_api_key_check=True,
            openai_api_key=None,
            openai_base_url=None,
            anthropic_api_key=None,
            ollama_host=None,
        )
    failed = 0
    for name in _ALL if chosen.provider == "all" else (chosen.provider,):
        model = chosen.model if chosen.provider != "all" else None
        failed += not _shown(name, model, settings)
    return 1 if failed else 0


def _shown(name: str, model: str | None, settings: Settings) -> bool:
    print(f"\n── {name} " + "─" * max(0, 60 - len(name)))
    print(f"› {_QUESTION}\n")
    stats = StreamStats(_Progress())
    try:
        response = (_by_client if name == "client" else _by_provider)(name, model, settings, stats)
    except FreshetError as error:
        print(f"\n{name} failed: {error}", file=sys.stderr)
        return False
    _tell(response, stats)
    return True


def _by_client(name: str, model: str | None, settings: Settings, stats: StreamStats) -> ModelResponse:
    del name
    with LocalClient(settings=settings, model=model) as client:
        client.query_streaming(_QUESTION, stats, max_tokens=DEFAULT_MAX_TOKENS)
        if client.last_response is None:
            raise FreshetError("the client kept no response")
        return client.last_response


def _by_provider(name: str, model: str | None, settings: Settings, stats: StreamStats) -> ModelResponse:
    options: dict[str, Any] = {"delay_ms": _DEMO_DELAY_MS} if name == "mock" else {}
    provider = create_provider(name, model, settings=settings, **options)
    request = ModelRequest(messages=[ModelMessage.user(_QUESTION)], max_tokens=DEFAULT_MAX_TOKENS)
    return provider.stream_with_callback(request, stats)


class _Progress:
    """Prints an answer as it comes, and on a terminal's title how far it is."""

    def __init__(self) -> None:
        self._count = 0
        self._title: Callable[[str], object] = sys.stderr.write if sys.stderr.isatty() else lambda _: None

    def __call__(self, delta: str, so_far: str | ModelResponse) -> None:
        """Print a delta."""
        del so_far
        print(delta, end="", flush=True)
        self._count += 1
        if self._count % _PROGRESS_EVERY == 0:
            self._title(f"\x1b]0;{self._count} deltas\x07")


def _tell(response: ModelResponse, stats: StreamStats) -> None:
    pace = stats.tokens_per_second
    rows = [
        ("model", response.model),
        ("provider", response.provider),
        ("content length", f"{len(response.content)} characters"),
        ("tokens", tokens(response.usage)),
        ("pace", "" if pace is None else f"{pace:.1f} tokens/s"),
        ("estimated cost", money(response.cost)),
        ("finish reason", str(response.finish_reason)),
    ]
    print("\n")
    for name, value in rows:
        print(f"{name:>15}  {value}")
