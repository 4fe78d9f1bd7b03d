"""`freshet models` and `freshet config`: the models of the providers, and the current settings."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table
from rich.text import Text

from webapp.catalog.models import ModelTable
from webapp.cli.terminal_output import format_money
from webapp.providers.factory import ProviderFactory
from webapp.providers.model_facts import describe
from webapp.providers.registry import ProviderRegistry
from webapp.seams import ModelFacts, ModelGroup
from webapp.settings import PROVIDERS
from webapp.wiring import read_settings

_LISTING_S = 10.0


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add both commands to the command line."""
    models = subparsers.add_parser(
        "models", help="list the models of the configured providers, as they list them now"
    )
    models.add_argument(
        "--all", action="store_true", help="list also the known models of the other providers"
    )
    models.set_defaults(run=list_models)
    config = subparsers.add_parser("config", help="show the current settings, secrets masked")
    config.set_defaults(run=show_config)


def list_models(options: argparse.Namespace) -> int:
    """Print a table of models: those that the configured providers list, and with `--all` the table's of the others."""
    settings = read_settings()
    models = ModelTable.read(settings.models_file)
    factory = ProviderFactory(settings, models)
    registry = ProviderRegistry(settings, models, factory)
    registry.refresh_models(_LISTING_S)
    groups = list(registry.list_groups())
    if options.all:
        known = {group.provider for group in groups}
        groups += [_table_group(models, name) for name in PROVIDERS if name not in known]
    factory.close()
    table = Table(
        "model", "context", "max answer", "in", "out", "images", "reasoning", box=None, pad_edge=False
    )
    for group in groups:
        for index, model in enumerate(group.models):
            table.add_row(*_cells(model, is_default=index == 0))
    console = Console()
    console.print(table)
    console.print(
        "* default model of its provider; sizes in tokens, prices in US dollars per million tokens "
        f"(as of {models.as_of}, for short prompts)",
        style="dim",
    )
    for group in groups:
        if group.provider in settings.configured_providers() and group.provider != "mock":
            console.print(_describe_source(group), style="dim")
    return 0


def _table_group(models: ModelTable, provider: str) -> ModelGroup:
    rows = models.list_by_provider(provider)
    facts = tuple(describe(provider, row.name, row, listed=False) for row in rows)
    return ModelGroup(provider=provider, state="unavailable", models=facts)


def _cells(model: ModelFacts, *, is_default: bool) -> tuple[str | Text, ...]:
    return (
        Text(model.id + (" *" if is_default else "")),  # not markup: the provider chose it
        f"{model.context_window:,}" if model.context_window else "",
        f"{model.max_answer_tokens:,}" if model.max_answer_tokens else "",
        format_money(model.prices.input if model.prices else None),
        format_money(model.prices.output if model.prices else None),
        "yes" if model.images else "",
        "yes" if model.reasoning else "",
    )


def _describe_source(group: ModelGroup) -> str:
    if group.state == "listed":
        return f"{group.provider}: as the provider lists them"
    return f"{group.provider}: known models; the provider does not list its own"


def show_config(options: argparse.Namespace) -> int:
    """Print a table of all settings."""
    del options
    table = Table("variable", "value", "description", box=None, pad_edge=False)
    for variable, value, _, description in read_settings().describe():
        table.add_row(variable, value, description)
    Console().print(table)
    return 0
