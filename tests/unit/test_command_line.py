"""The command line loads the modules of the command that is asked for, and knows all of them."""

import subprocess
import sys

import pytest

from webapp.cli import _MODULES, main


@pytest.mark.parametrize("command", _MODULES)
def test_every_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main([command, "--help"])
    assert exit_info.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: freshet {command} ")


@pytest.mark.parametrize("arguments", [["--help"], []])
def test_the_whole_help_names_every_command(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    said = capsys.readouterr()
    assert not arguments or all(f"    {command} " in said.out for command in _MODULES)
    assert arguments or "command" in said.err


def test_a_command_loads_no_other() -> None:
    """What the chat needs alone takes half a second."""
    code = (
        "import sys; from webapp.cli import main\n"
        "try: main(['search', '--help'])\n"
        "finally: sys.stderr.write(' '.join(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    loaded = ended.stderr.split()
    assert "webapp.cli.ingest" in loaded
    assert not {"webapp.cli.chat", "webapp.client", "requests"} & set(loaded)
