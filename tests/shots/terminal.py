"""A picture of `freshet chat` for the README: `python -m tests.shots.terminal tests/shots/terminal.svg`.

Drawn from a real conversation with the demo answers, by the code that draws in the terminal.
"""

import re
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme

from webapp.cli.terminal_output import TerminalMarkdown, summarize
from webapp.client import create_query_client

QUESTION = "Why do small frames feel better?"
WIDTH = 84
LAST = "\n\nAnd a table"  # by then there is a block of every kind
PAPER = TerminalTheme(
    (17, 19, 24),
    (226, 228, 233),
    [
        (17, 19, 24),
        (240, 113, 120),
        (127, 200, 149),
        (229, 192, 123),
        (110, 168, 254),
        (198, 146, 234),
        (96, 196, 204),
        (190, 194, 203),
    ],
    [
        (108, 114, 128),
        (240, 113, 120),
        (127, 200, 149),
        (229, 192, 123),
        (110, 168, 254),
        (198, 146, 234),
        (96, 196, 204),
        (240, 242, 246),
    ],
)


def main(path: Path) -> None:
    """Draw the picture and write it."""
    console = Console(record=True, width=WIDTH, force_terminal=True, highlight=False, file=sys.stderr)
    console.print(f"[bold]›[/bold] {QUESTION}\n")
    with create_query_client("mock", delay_ms=0) as client:
        text = client.query(QUESTION)
        with TerminalMarkdown(console) as output:
            output.write(text.partition(LAST)[0] + "\n\n")
        assert client.last_response is not None
        console.print(f"\n{summarize(client.last_response)}", style="dim")
    fontless = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    fontless = re.sub(r"<!--.*?-->", "", fontless)
    fontless = fontless.replace(
        "Fira Code, monospace", "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"
    )
    svg = console.export_svg(title="freshet chat", theme=PAPER, code_format=fontless, unique_id="freshet")
    assert "http" not in svg.replace("http://www.w3.org", ""), "the picture loads something"
    path.write_text(svg)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
