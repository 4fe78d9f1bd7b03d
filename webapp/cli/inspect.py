"""`freshet models` and `freshet config`: what can be asked, and what is in force."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.table import Table

from webapp.catalog.models import ModelTable
from webapp.cli.show import money
from webapp.wiring import read_settings


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the commands."""
    models = commands.add_parser("models", help="list the models that are known of the configured providers")
    models.add_argument("--all", action="store_true", help="those of the other providers, too")
    models.set_defaults(run=list_models)
    config = commands.add_parser("config", help="show the settings in force, secrets masked")
    config.set_defaults(run=show_config)


def list_models(chosen: argparse.Namespace) -> int:
    """Print a row for each model; prices are for a million tokens."""
    settings = read_settings()
    models = ModelTable.read(settings.models_file)
    names = ["openai", "anthropic", "ollama", "mock"] if chosen.all else settings.configured()
    table = Table("model", "window", "longest", "in", "out", "images", "thinks", box=None, pad_edge=False)
    for name in names:
        for row in models.of(name):
            table.add_row(
                f"{name}/{row.name}" + (" *" if row.default else ""),
                f"{row.window:,}" if row.window else "",
                f"{row.longest:,}" if row.longest else "",
                money(row.input),
                money(row.output),
                "yes" if row.images else "",
                "yes" if row.reasoning else "",
            )
    console = Console()
    console.print(table)
    console.print("* answers when no model is named; prices are US dollars a million tokens", style="dim")
    return 0


def show_config(chosen: argparse.Namespace) -> int:
    """Print every setting with its value."""
    del chosen
    table = Table("variable", "in force", "what it does", box=None, pad_edge=False)
    for name, value, _, about in read_settings().described():
        table.add_row(name, value, about)
    Console().print(table)
    return 0
