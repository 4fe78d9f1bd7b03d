"""The example notebook, run in a real kernel against a real server, and the display of answers."""

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
def executed_cells(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Execute the notebook once and return its code cells with their outputs."""
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
def test_the_test_client_returns_all_frames_at_once(executed_cells: Any) -> None:
    assert "all of them after" in printed(executed_cells[1])


def test_requests_reads_frame_by_frame(executed_cells: Any) -> None:
    summary = printed(executed_cells[2]).strip().splitlines()[-1]
    assert summary.endswith("0 raw lines")
    assert int(summary.split()[0]) > 10


def test_the_display_ends_as_rendered_markdown(executed_cells: Any) -> None:
    displays = [
        output.data["text/html"]
        for output in executed_cells[3].outputs
        if output.output_type == "display_data"
    ]
    assert len(displays) == 1, "one display, updated"
    assert "<strong>demo answer</strong>" in displays[0]
    assert "<table>" in displays[0]
    assert "&lt;b&gt;Markdown&lt;/b&gt;" in displays[0]
    assert "<b>" not in displays[0]


def test_the_answer_is_printed_outside_a_notebook(capsys: pytest.CaptureFixture[str]) -> None:
    with create_query_client("mock", delay_ms=0) as client:
        text = display_stream(client, "hello")
    assert capsys.readouterr().out == text


def test_the_notebook_is_stored_without_outputs() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert all(not cell.get("outputs") for cell in cells)
