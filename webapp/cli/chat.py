"""`freshet chat`: a conversation in the terminal, or one question in a pipe."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console

from webapp.chat import ModelMessage, ModelResponse
from webapp.cli.show import MarkdownStream, summary
from webapp.client import QueryClient, create_query_client
from webapp.errors import AnswerError, FreshetError, RequestError
from webapp.frames import plain_number, usage_body

_MOST_INPUT_CHARS = 4 * 1024 * 1024
_HELP = """\
/model NAME    ask another model (provider/model); alone: show it
/system TEXT   set the instruction above the conversation; alone: show it
/save FILE     write the conversation as Markdown
/new           begin anew
/help          this list
/quit          leave (also Ctrl-D)
Ctrl-C stops an answer."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Describe the command."""
    parser = commands.add_parser("chat", help='talk in the terminal, or ask once: freshet chat "why?"')
    parser.add_argument("question", nargs="*", help="ask this and leave; what comes by a pipe is added to it")
    parser.add_argument("--provider", "-p", help="openai, anthropic, ollama or mock")
    parser.add_argument("--model", "-m", help="the model to ask")
    parser.add_argument("--system", "-s", help="the instruction above the conversation")
    parser.add_argument("--max-tokens", type=int, help="the longest answer")
    parser.add_argument("--url", help="ask a running server instead of the providers themselves")
    parser.add_argument("--key", help="that server's password")
    parser.add_argument(
        "--json", action="store_true", help="print the answer with its figures as one JSON object"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Ask once where a question or a pipe is given, else talk."""
    with create_query_client(chosen.provider, chosen.model, url=chosen.url, key=chosen.key) as client:
        talk = _Talk(client, chosen.system, chosen.model, chosen.max_tokens)
        question = _question(" ".join(chosen.question))
        if question:
            return _ask_once(talk, question, as_json=chosen.json)
        if not sys.stdin.isatty():
            raise RequestError("nothing is asked: the pipe is empty")
        return _converse(talk, Console(highlight=False))


class _Talk:
    """A conversation: what was said, and how to say more."""

    def __init__(
        self, client: QueryClient, system: str | None, model: str | None, max_tokens: int | None
    ) -> None:
        self._client = client
        self._max_tokens = max_tokens
        self.system = system
        self.model = model
        self.messages: list[ModelMessage] = []

    def ask(self, question: str, write: object) -> ModelResponse:
        """Ask, hand each delta to `write`, and remember both sides. Ctrl-C stops the answer and keeps it."""
        asked = [*self.messages, ModelMessage.user(question)]
        stream = self._client.stream(asked, system=self.system, model=self.model, max_tokens=self._max_tokens)
        with stream:
            try:
                for delta in stream:
                    write(delta)  # type: ignore[operator]
            except KeyboardInterrupt:
                stream.close()
                stream.response.finish_reason = "cancelled"
        if stream.response.content:
            self.messages = [*asked, ModelMessage.assistant(stream.response.content)]
        return stream.response

    def markdown(self) -> str:
        """Write the conversation down."""
        parts = [f"> {self.system}"] if self.system else []
        parts += [f"## {'You' if said.role == 'user' else 'Answer'}\n\n{said.text}" for said in self.messages]
        return "\n\n".join(parts) + "\n"


def _question(words: str) -> str:
    """Join what was typed with what came by a pipe."""
    if sys.stdin.isatty():
        return words
    piped = sys.stdin.read(_MOST_INPUT_CHARS + 1)
    if len(piped) > _MOST_INPUT_CHARS:
        raise RequestError(f"the pipe holds more than {_MOST_INPUT_CHARS} characters")
    return "\n\n".join(part for part in (words, piped.strip()) if part)


def _ask_once(talk: _Talk, question: str, *, as_json: bool) -> int:
    if as_json:
        return _ask_for_json(talk, question)
    if sys.stdout.isatty():
        console = Console()
        with MarkdownStream(console) as page:
            response = talk.ask(question, page.write)
    else:
        response = talk.ask(question, lambda delta: print(delta, end="", flush=True))
        print()
    return 130 if response.finish_reason == "cancelled" else 0


def _ask_for_json(talk: _Talk, question: str) -> int:
    try:
        response = talk.ask(question, lambda _: None)
    except AnswerError as error:
        print(json.dumps({"error": error.message, "code": error.code, "retryable": error.retryable}))
        return 1
    told = {
        "content": response.content,
        "model": response.model,
        "provider": response.provider,
        "usage": usage_body(response.usage),
        "finish_reason": response.finish_reason,
    }
    cost = "null" if response.cost is None else bytes(plain_number(response.cost)).decode()
    print(json.dumps(told, ensure_ascii=False)[:-1] + f', "cost": {cost}}}')
    return 130 if response.finish_reason == "cancelled" else 0


def _converse(talk: _Talk, console: Console) -> int:
    try:
        import readline  # noqa: F401, PLC0415  (gives the prompt its history, where there is one)
    except ImportError:
        pass
    console.print("Ask something. /help lists what else there is.", style="dim")
    while True:
        try:
            line = console.input("\n[bold]›[/bold] ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return 0
        if line in ("/quit", "/exit"):
            return 0
        if line.startswith("/"):
            _obey(talk, console, line)
        elif line:
            _answer(talk, console, line)


def _answer(talk: _Talk, console: Console, line: str) -> None:
    console.print()
    try:
        with MarkdownStream(console) as page:
            response = talk.ask(line, page.write)
    except FreshetError as error:
        console.print(str(error), style="red")
        return
    console.print(f"\n{summary(response)}", style="dim")


def _obey(talk: _Talk, console: Console, line: str) -> None:
    name, _, rest = line.partition(" ")
    rest = rest.strip()
    match name:
        case "/model":
            talk.model = rest or talk.model
            console.print(f"model: {talk.model or 'the default'}", style="dim")
        case "/system":
            talk.system = rest or talk.system
            console.print(f"system: {talk.system or 'none'}", style="dim")
        case "/new":
            talk.messages = []
            console.print("a new conversation", style="dim")
        case "/save":
            _save(talk, console, rest)
        case _:
            console.print(_HELP, style="dim", highlight=False)


def _save(talk: _Talk, console: Console, name: str) -> None:
    path = Path(name or "conversation.md").expanduser()
    try:
        path.write_text(talk.markdown(), encoding="utf-8")
    except OSError as error:
        console.print(f"{path}: {error.strerror}", style="red")
        return
    console.print(f"saved to {path}", style="dim")
