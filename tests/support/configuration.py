"""Write docs/configuration.md from the settings themselves: `python -m tests.support.configuration`."""

import dataclasses
from pathlib import Path

from webapp.settings import Settings
from webapp.settings.access import AccessSettings
from webapp.settings.limits import LimitSettings
from webapp.settings.providers import ProviderSettings
from webapp.settings.server import ServerSettings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
_HEAD = """# Configuration

Settings are environment variables. An empty one counts as unset; a wrong value stops the start with one line that names it.
`freshet config` prints what is in force, with secrets masked.

Which models exist, their context windows and prices are in `webapp/catalog/models.toml`; a file of the same form, named by
`FRESHET_MODELS_FILE`, overrides it.
"""
_GROUPS = (
    ("Model providers", ProviderSettings),
    ("Access", AccessSettings),
    ("Limits", LimitSettings),
    ("Server", ServerSettings),
)


def document() -> str:
    """Return the document: a table for each group of settings, in the order of their fields."""
    described = {name: (default, about) for name, _, default, about in Settings().described()}
    parts = [_HEAD]
    for title, group in _GROUPS:
        names = [field.metadata["name"] for field in dataclasses.fields(group)]
        rows = [f"| `{name}` | {_code(described[name][0])} | {described[name][1]} |" for name in names]
        parts.append(
            "\n".join(
                [f"## {title}", "", "| variable | default | what it does |", "|---|---|---|", *rows, ""]
            )
        )
    return "\n".join(parts)


def _code(default: str) -> str:
    return f"`{default}`" if default else ""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
