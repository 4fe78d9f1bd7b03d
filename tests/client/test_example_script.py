"""A program of the kind that the client is made for runs with every provider, and its answers are based on documents."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.dialects import anthropic, ollama, openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Step

ROOT = Path(__file__).resolve().parents[2]
PIECES = ["From nine ", "to five [1]."]
HOURS = "# Library\n\nThe library is open from nine to five.\n"


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


def run(folder: Path, env: Mapping[str, str], *arguments: str) -> str:
    cleared = {
        name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_HOST", "_URL"))
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        env=cleared | {"PYTHONPATH": str(ROOT), "FRESHET_DATA_DIR": str(folder / "data")} | env,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "model", "settings", "dialect"),
    [
        ("openai", "gpt-4.1", {"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": "{url}/v1"}, openai),
        (
            "anthropic",
            "claude-sonnet-4-5",
            {"ANTHROPIC_API_KEY": "sk-test", "ANTHROPIC_BASE_URL": "{url}"},
            anthropic,
        ),
        ("ollama", "llama3", {"OLLAMA_HOST": "{url}"}, ollama),
    ],
)
def test_a_script_with_a_provider(
    tmp_path: Path,
    provider: FakeProvider,
    name: str,
    model: str,
    settings: dict[str, str],
    dialect: Callable[[Sequence[str]], Sequence[Step]],
) -> None:
    (tmp_path / "hours.md").write_text(HOURS)
    run(tmp_path, {}, "-m", "webapp", "ingest", "hours.md", "--collection", "house")
    provider.play(Answer(steps=dialect(PIECES)))
    env = {key: value.format(url=provider.url) for key, value in settings.items()}
    said = run(tmp_path, env, str(ROOT / "tests/client/example_script.py"), name, model)
    assert said.splitlines()[:2] == ["found: 1", "best: hours.md, True, '# Library\\n\\nThe libra'"]
    assert said.count("".join(PIECES)) == 2
    assert "length: 22\nusage: True True, cost: True\nplain: True\n" in said
    assert f", {name}, 22, stop, " in said
    bodies = [str(call.json) for call in provider.calls if call.json]
    assert ["The library is open from nine to five." in body for body in bodies] == [True, False, False]


def test_a_script_with_demo_answers(tmp_path: Path) -> None:
    said = run(tmp_path, {}, str(ROOT / "tests/client/example_script.py"), "mock", "mock-standard")
    assert said.startswith("found: 0\n")
    assert "model: mock-standard, mock, " in said
