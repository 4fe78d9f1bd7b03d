"""`freshet chat`: a conversation in the terminal, or one question from the arguments or a pipe."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from rich.console import Console

from webapp.chat import Effort, ModelMessage, ModelResponse
from webapp.cli.terminal_output import TerminalMarkdown, summarize
from webapp.client import QueryClient, create_query_client
from webapp.errors import AnswerError, FreshetError, RequestError
from webapp.frames import cost_to_json, usage_to_json

_MAX_INPUT_CHARS = 4 * 1024 * 1024
_HELP = """\
/model NAME    use another model (provider/model); without NAME, show it
/effort LEVEL  set how much the model reasons; without LEVEL, its default
/system TEXT   set the system prompt; without TEXT, show it
/save FILE     save the conversation as Markdown
/new           start a new conversation
/help          show this list
/quit          exit (also Ctrl-D)
Ctrl-C stops an answer."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "chat", help='start a conversation, or ask one question: freshet chat "why?"'
    )
    parser.add_argument("question", nargs="*", help="ask one question and exit; piped text is appended to it")
    parser.add_argument("--provider", "-p", help="openai, anthropic, ollama or mock")
    parser.add_argument("--model", "-m", help="the model")
    parser.add_argument("--system", "-s", help="the system prompt")
    parser.add_argument("--max-tokens", type=int, help="the maximum answer in tokens")
    parser.add_argument("--effort", choices=get_args(Effort), help="how much the model reasons")
    parser.add_argument("--url", help="use a running server instead of the providers")
    parser.add_argument("--key", help="the password of the server at --url")
    parser.add_argument(
        "--json", action="store_true", help="print the answer, its usage and cost as one JSON object"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask one question if there is one in the arguments or a pipe, else start a conversation."""
    with create_query_client(options.provider, options.model, url=options.url, key=options.key) as client:
        chat = _Chat(client, options.system, options.model, options.max_tokens, options.effort)
        question = _read_question(" ".join(options.question))
        if question:
            return _ask_once(chat, question, as_json=options.json)
        if not sys.stdin.isatty():
            raise RequestError("no question: the arguments and the pipe are empty")
        return _converse(chat, Console(highlight=False))


class _Chat:
    """A conversation: its messages, model and system prompt."""

    def __init__(
        self,
        client: QueryClient,
        system: str | None,
        model: str | None,
        max_tokens: int | None,
        effort: Effort | None = None,
    ) -> None:
        self._client = client
        self._max_tokens = max_tokens
        self.system = system
        self.model = model
        self.effort = effort
        self.messages: list[ModelMessage] = []

    def ask(self, question: str, write: Callable[[str], object]) -> ModelResponse:
        """Send a question, pass each delta of the answer to `write`, and append both to the messages.

        Ctrl-C stops the answer; what has arrived is kept.
        """
        messages = [*self.messages, ModelMessage.user(question)]
        stream = self._client.stream(
            messages,
            system=self.system,
            model=self.model,
            max_tokens=self._max_tokens,
            effort=self.effort,
        )
        with stream:
            try:
                for delta in stream:
                    write(delta)
            except KeyboardInterrupt:
                stream.close()
                stream.response.finish_reason = "cancelled"
        if stream.response.content:
            self.messages = [*messages, ModelMessage.assistant(stream.response.content)]
        return stream.response

    def to_markdown(self) -> str:
        """Return the conversation as a Markdown document."""
        parts = [f"> {self.system}"] if self.system else []
        for message in self.messages:
            parts.append(f"## {'You' if message.role == 'user' else 'Answer'}\n\n{message.text}")
        return "\n\n".join(parts) + "\n"


def _read_question(words: str) -> str:
    """Return the words of the arguments, followed by the piped text."""
    if sys.stdin.isatty():
        return words
    piped = sys.stdin.read(_MAX_INPUT_CHARS + 1)
    if len(piped) > _MAX_INPUT_CHARS:
        raise RequestError(f"the piped text has more than {_MAX_INPUT_CHARS:,} characters")
    return "\n\n".join(part for part in (words, piped.strip()) if part)


def _ask_once(chat: _Chat, question: str, *, as_json: bool) -> int:
    if as_json:
        return _ask_for_json(chat, question)
    if sys.stdout.isatty():
        with TerminalMarkdown(Console()) as output:
            response = chat.ask(question, output.write)
    else:
        response = chat.ask(question, lambda delta: print(delta, end="", flush=True))
        print()
    return 130 if response.finish_reason == "cancelled" else 0


def _ask_for_json(chat: _Chat, question: str) -> int:
    try:
        response = chat.ask(question, lambda _: None)
    except AnswerError as error:
        print(json.dumps({"error": error.message, "code": error.code, "retryable": error.retryable}))
        return 1
    body = {
        "content": response.content,
        "model": response.model,
        "provider": response.provider,
        "usage": usage_to_json(response.usage),
        "finish_reason": response.finish_reason,
    }
    # Appended as text: json.dumps takes no Decimal, and a float would be written with an exponent.
    cost = "null" if response.cost is None else bytes(cost_to_json(response.cost)).decode()
    print(json.dumps(body, ensure_ascii=False)[:-1] + f', "cost": {cost}}}')
    return 130 if response.finish_reason == "cancelled" else 0


def _converse(chat: _Chat, console: Console) -> int:
    try:
        import readline  # noqa: F401, PLC0415  (enables editing and history at the prompt; missing on some systems)
    except ImportError:
        pass
    console.print("Ask a question. /help lists the commands.", style="dim")
    while True:
        try:
            line = console.input("\n[bold]›[/bold] ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return 0
        if line in ("/quit", "/exit"):
            return 0
        if line.startswith("/"):
            _run_command(chat, console, line)
        elif line:
            _answer(chat, console, line)


def _answer(chat: _Chat, console: Console, question: str) -> None:
    console.print()
    try:
        with TerminalMarkdown(console) as output:
            response = chat.ask(question, output.write)
    except FreshetError as error:
        console.print(str(error), style="red")
        return
    console.print(f"\n{summarize(response)}", style="dim")


def _run_command(chat: _Chat, console: Console, line: str) -> None:
    name, _, argument = line.partition(" ")
    argument = argument.strip()
    match name:
        case "/model":
            chat.model = argument or chat.model
            console.print(f"model: {chat.model or 'the default'}", style="dim")
        case "/system":
            chat.system = argument or chat.system
            console.print(f"system prompt: {chat.system or 'none'}", style="dim")
        case "/effort":
            _set_effort(chat, console, argument)
        case "/new":
            chat.messages = []
            console.print("new conversation", style="dim")
        case "/save":
            _save(chat, console, argument)
        case "/help":
            console.print(_HELP, style="dim", highlight=False)
        case _:
            console.print(f"unknown command {name}\n{_HELP}", style="dim", highlight=False)


def _set_effort(chat: _Chat, console: Console, argument: str) -> None:
    level: Effort | None = next((known for known in get_args(Effort) if known == argument), None)
    if argument and level is None:
        console.print(f"effort is one of {', '.join(get_args(Effort))}", style="red")
        return
    chat.effort = level
    console.print(f"effort: {level or 'the default'}", style="dim")


def _save(chat: _Chat, console: Console, name: str) -> None:
    path = Path(name or "conversation.md").expanduser()
    try:
        path.write_text(chat.to_markdown(), encoding="utf-8")
    except OSError as error:
        console.print(f"cannot save to {path}: {error.strerror}", style="red")
        return
    console.print(f"saved to {path}", style="dim")
