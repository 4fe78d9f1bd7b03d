"""Generate docs/configuration.md from the settings: `python -m tests.support.configuration`."""

import dataclasses
from pathlib import Path

from webapp.settings import Settings
from webapp.settings.access import AccessSettings
from webapp.settings.limits import LimitSettings
from webapp.settings.providers import ProviderSettings
from webapp.settings.server import ServerSettings

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"
_HEAD = """# Configuration

Settings are environment variables. An empty variable counts as unset. With an invalid value the server does not start; the error
names the variable. `freshet config` prints the current values, secrets masked.

The known models with their context windows and prices are in `webapp/catalog/models.toml`, which `make models` writes. The file that
`FRESHET_MODELS_FILE` names has the same form; it adds models or replaces them.
"""
_GROUPS = (
    ("Model providers", ProviderSettings),
    ("Access", AccessSettings),
    ("Limits", LimitSettings),
    ("Server", ServerSettings),
)


def document() -> str:
    """Return the document: a table for each group of settings, in the order of their fields."""
    described = {name: (default, description) for name, _, default, description in Settings().describe()}
    parts = [_HEAD]
    for title, group in _GROUPS:
        names = [field.metadata["variable"] for field in dataclasses.fields(group)]
        rows = [f"| `{name}` | {_code(described[name][0])} | {described[name][1]} |" for name in names]
        parts.append(
            "\n".join([f"## {title}", "", "| variable | default | description |", "|---|---|---|", *rows, ""])
        )
    return "\n".join(parts)


def _code(default: str) -> str:
    return f"`{default}`" if default else ""


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
