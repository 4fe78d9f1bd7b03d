"""The notebook runs in a real kernel against a real server, and the display escapes what it shows."""

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.server import Server
from webapp import create_query_client
from webapp.notebook import display_stream

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "streaming.ipynb"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Execute the notebook once; its cells with their outputs."""
    folder = tmp_path_factory.mktemp("kernel")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    with Server() as server:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "IPYTHONDIR": str(folder / "ipython"),
            "PYTHONPATH": str(NOTEBOOK.parents[2]),
            "FRESHET_URL": server.url,
        }
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute(env=env, cwd=str(folder))
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell: Any) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_test_client_gives_all_at_once(ran: Any) -> None:
    assert "all of them after" in printed(ran[1])


def test_requests_reads_piece_by_piece_and_nothing_raw(ran: Any) -> None:
    told = printed(ran[2]).strip().splitlines()[-1]
    assert told.endswith("0 raw lines")
    assert int(told.split()[0]) > 10


def test_the_display_ends_as_rendered_markdown(ran: Any) -> None:
    shown = [output.data["text/html"] for output in ran[3].outputs if output.output_type == "display_data"]
    assert len(shown) == 1, "one display, updated"
    assert "<strong>demo answer</strong>" in shown[0]
    assert "<table>" in shown[0]
    assert "&lt;b&gt;Markdown&lt;/b&gt;" in shown[0]
    assert "<b>" not in shown[0]


def test_outside_a_notebook_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    with create_query_client("mock", delay_ms=0) as client:
        text = display_stream(client, "hello")
    assert capsys.readouterr().out == text


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert all(not cell.get("outputs") for cell in cells)
