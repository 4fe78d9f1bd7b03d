"""`freshet` in a terminal and in a pipe."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.client.conftest import TEXT, answer
from tests.support.dialects import ollama, openai
from tests.support.fake_provider import FakeProvider, closed_port
from tests.support.script import Answer, refusal, whole
from tests.support.server import Server
from webapp.cli.terminal_output import format_money, settled_length

_LIMIT_S = 30


def freshet(
    *arguments: str, env: dict[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command in a minimal environment."""
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"} | (env or {})
    return subprocess.run(
        [sys.executable, "-m", "webapp", *arguments],
        env=bare,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
    )


@pytest.fixture
def openai_env(provider: FakeProvider) -> dict[str, str]:
    provider.play(answer())
    return {"OPENAI_BASE_URL": provider.url + "/v1", "OPENAI_API_KEY": "sk-test", "FRESHET_MODEL": "gpt-4.1"}


def test_a_pipe_prints_plain_text(openai_env: dict[str, str], provider: FakeProvider) -> None:
    done = freshet("chat", "summarise", env=openai_env, stdin="a long report")
    assert (done.returncode, done.stdout) == (0, TEXT + "\n")
    assert provider.calls[-1].json["messages"] == [{"role": "user", "content": "summarise\n\na long report"}]


def test_effort_is_passed_on_and_checked() -> None:
    with FakeProvider(Answer(steps=ollama(["Hello"]))) as fake:
        env = {"OLLAMA_HOST": fake.url}
        done = freshet("chat", "-p", "ollama", "--effort", "none", "hello", env=env)
        assert (done.returncode, done.stdout) == (0, "Hello\n")
        assert fake.calls[-1].json["think"] is False
        done = freshet("chat", "-p", "ollama", "--effort", "extreme", "hello", env=env)
        assert done.returncode == 2
        assert "--effort" in done.stderr
        assert len(fake.calls) == 1


def test_json_output_has_all_fields(openai_env: dict[str, str]) -> None:
    done = freshet("chat", "--json", "hello", env=openai_env)
    output = json.loads(done.stdout)
    assert output["content"] == TEXT
    assert (output["model"], output["provider"], output["finish_reason"]) == ("gpt-4.1", "openai", "stop")
    assert output["usage"] == {"input_tokens": 7, "output_tokens": 60}
    assert '"cost": 0.000494' in done.stdout


def test_url_selects_a_running_server(server: Server, provider: FakeProvider) -> None:
    provider.play(answer())
    done = freshet("chat", "--url", server.url, "hello")
    assert (done.returncode, done.stdout) == (0, TEXT + "\n")


def test_an_unreachable_provider_is_exit_code_1() -> None:
    env = {"OPENAI_BASE_URL": f"http://127.0.0.1:{closed_port()}/v1", "FRESHET_RETRIES": "0"}
    done = freshet("chat", "hello", env=env)
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_output_reports_a_failure() -> None:
    env = {"OPENAI_BASE_URL": f"http://127.0.0.1:{closed_port()}/v1", "FRESHET_RETRIES": "0"}
    done = freshet("chat", "--json", "hello", env=env)
    assert done.returncode == 1
    assert json.loads(done.stdout)["code"] == "upstream_unreachable"


def test_a_missing_key_names_its_variable() -> None:
    done = freshet("demo", "-p", "anthropic")
    assert done.returncode == 1
    assert "ANTHROPIC_API_KEY" in done.stderr


def test_a_wrong_setting_is_one_line_and_exit_code_2() -> None:
    done = freshet("chat", "hello", env={"FRESHET_MAX_TOKENS": "many"})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "FRESHET_MAX_TOKENS" in done.stderr


def test_an_empty_pipe_is_exit_code_2() -> None:
    assert freshet("chat").returncode == 2


@pytest.mark.parametrize("name", ["anthropic", "openai", "ollama", "mock"])
def test_demo_plays_a_recording_and_prints_figures(name: str) -> None:
    done = freshet("demo", "-p", name, "--mock")
    assert done.returncode == 0, done.stderr
    for word in ("model", "provider", "content length", "tokens", "estimated cost", "finish reason"):
        assert word in done.stdout
    assert re.search(r"\$\d+(\.\d+)?\n", done.stdout), "a cost without an exponent"


def test_demo_of_all_continues_after_failed_providers() -> None:
    port = closed_port()
    env = {
        "OPENAI_API_KEY": "sk-x",
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "ANTHROPIC_API_KEY": "sk-x",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}",
        "OLLAMA_HOST": f"http://127.0.0.1:{port}",
        "FRESHET_PROVIDER": "mock",
        "FRESHET_RETRIES": "0",
    }
    done = freshet("demo", "-p", "all", env=env)
    assert done.returncode == 1
    assert done.stdout.count("finish reason") == 2, "the client's and mock's"
    for name in ("anthropic", "openai", "ollama"):
        assert f"{name} failed" in done.stderr


def test_config_masks_secrets() -> None:
    done = freshet("config", env={"OPENAI_API_KEY": "sk-canary", "COLUMNS": "200"})
    assert "OPENAI_API_KEY" in done.stdout
    assert "sk-canary" not in done.stdout


def test_models_lists_the_known_models() -> None:
    done = freshet("models", "--all", env={"COLUMNS": "200"})
    assert "openai/gpt-4.1" in done.stdout
    assert "anthropic/claude-sonnet-5-5 *" in done.stdout


def test_models_lists_what_the_provider_lists() -> None:
    names = ("gpt-6.1-sol", "gpt-6-luna", "[bold]my-own[/bold]", "text-embedding-3-large")
    with FakeProvider(models=whole({"data": [{"id": name} for name in names]})) as provider:
        env = {"OPENAI_API_KEY": "sk-canary", "OPENAI_BASE_URL": f"{provider.url}/v1", "COLUMNS": "200"}
        done = freshet("models", env=env)
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("openai/")]
    assert listed == ["openai/gpt-6.1-sol", "openai/gpt-6-luna", "openai/[bold]my-own[/bold]"]
    assert "openai/gpt-6.1-sol *" in done.stdout
    assert "openai: as the provider lists them" in done.stdout


def test_models_lists_the_known_ones_where_the_provider_lists_none() -> None:
    with FakeProvider(models=refusal(403)) as provider:
        done = freshet("models", env={"OLLAMA_HOST": provider.url, "COLUMNS": "200"})
    assert "ollama/llama3 *" in done.stdout
    assert "ollama: known models; the provider does not list its own" in done.stdout


def test_money_has_no_exponent() -> None:
    from decimal import Decimal  # noqa: PLC0415

    assert format_money(Decimal("1.2E-5")) == "$0.000012"
    assert format_money(None) == "unknown"


@pytest.mark.parametrize(
    ("text", "done"),
    [("one", 0), ("one\n\ntwo", 5), ("```\na\n\nb", 0), ("x\n\n```\na\n\nb", 3), ("```\na\n```\n\nb", 11)],
)
def test_blocks_are_settled_at_blank_lines_outside_fences(text: str, done: int) -> None:
    assert settled_length(text) == done


class Terminal:
    """`freshet chat` in a pseudo-terminal. Every wait is bounded."""

    def __init__(self, env: dict[str, str], folder: Path) -> None:
        bare = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", sys.executable, "-m", "webapp", "chat"],
            env=bare | {"COLUMNS": "80", "LINES": "30", "PYTHONPATH": str(Path(__file__).parents[2])} | env,
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self.screen = ""

    def type(self, line: str) -> None:
        os.write(self._master, line.encode())

    def read_until(self, word: str) -> str:
        until = time.monotonic() + _LIMIT_S
        output = ""
        while word not in output:
            assert time.monotonic() < until, f"{word!r} did not appear in {output[-2000:]!r}"
            if select.select([self._master], [], [], 0.2)[0]:
                output += os.read(self._master, 65536).decode(errors="replace")
        self.screen += output
        return output

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(5)
        os.close(self._master)


def test_a_conversation_in_a_terminal(
    openai_env: dict[str, str], provider: FakeProvider, tmp_path: Path
) -> None:
    terminal = Terminal(openai_env, tmp_path)
    try:
        terminal.read_until("›")
        terminal.type("hello\n")
        terminal.read_until("7 in, 60 out")
        terminal.type("/model gpt-4o-mini\n")
        terminal.read_until("model: gpt-4o-mini")
        terminal.type("again\n")
        terminal.read_until("7 in, 60 out")
        sent = provider.calls[-1].json
        assert sent["model"] == "gpt-4o-mini"
        assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "user"]
        terminal.type("/save kept.md\n")
        terminal.read_until("saved to kept.md")
        assert TEXT.strip() in (tmp_path / "kept.md").read_text()
        terminal.type("/quit\n")
        assert terminal.process.wait(_LIMIT_S) == 0
    finally:
        terminal.close()


def test_ctrl_c_stops_the_answer_but_not_the_conversation(
    openai_env: dict[str, str], provider: FakeProvider, tmp_path: Path
) -> None:
    provider.play(answer(per_s=10))
    terminal = Terminal(openai_env, tmp_path)
    try:
        terminal.read_until("›")
        terminal.type("hello\n")
        terminal.read_until("word3")
        terminal.type("\x03")
        terminal.read_until("cancelled")
        provider.wait_left()
        terminal.type("/quit\n")
        assert terminal.process.wait(_LIMIT_S) == 0
    finally:
        terminal.close()


def test_characters_that_the_terminal_cannot_encode_are_replaced(provider: FakeProvider) -> None:
    """A character outside the terminal's encoding used to end the answer with a traceback."""
    provider.play(Answer(steps=openai(["“naïve” ", "end"])))
    env = {"OPENAI_BASE_URL": provider.url + "/v1", "OPENAI_API_KEY": "sk-test", "PYTHONIOENCODING": "ascii"}
    done = freshet("chat", "hello", env=env)
    assert (done.returncode, done.stdout) == (0, "?na?ve? end\n")


@pytest.mark.parametrize("arguments", [(), ("--port", "{port}")])
def test_serve_listens_on_the_configured_port(arguments: tuple[str, ...]) -> None:
    """`serve` used to ignore the variables that `config` shows."""
    port = closed_port()
    options = [argument.format(port=port) for argument in arguments]
    env = {"PATH": os.environ["PATH"], "PORT": str(closed_port() if options else port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp", "serve", *options], env=env, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "Freshet is at" in line)
        assert f"http://127.0.0.1:{port}" in line
    finally:
        process.terminate()  # also while its worker starts
        process.communicate(timeout=10)
