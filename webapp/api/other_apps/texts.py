"""Texts of other apps: thoughts between tags, blocks of tools, and attached documents."""

from __future__ import annotations

import html
import re

_THINK_TAG = re.compile(r"\s*(?:<(think|thinking|thought|reasoning)>|:::thinking[ \t]*\n)", re.I)
_DETAILS = re.compile(r'<details\s+type="(reasoning|tool_calls|code_interpreter)"([^>]{0,2000})>')
_DETAILS_END = "</details>"
_SUMMARY = re.compile(r"\s*<summary>[^<]{0,2000}</summary>")
_DURATION = re.compile(r'duration="(\d{1,9})(?:\.\d+)?"')
_QUOTE_MARK = re.compile(r"^> ?", re.M)
_CITATION = re.compile("\ue200[^\ue200\ue201]{0,2000}\ue201")
_FENCES = re.compile(r"`{3,}")


def split_thoughts(text: str) -> tuple[str, str]:
    """Return the thoughts at the beginning of an answer, and the rest. Thoughts that never end are all of it."""
    start = _THINK_TAG.match(text)
    if start is None:
        return "", text
    end_mark = f"</{start[1]}>" if start[1] else "\n:::"
    end = text.lower().find(end_mark.lower(), start.end())
    if end < 0:
        return (text[start.end() :].strip(), "") if start[1] else ("", text)
    return text[start.end() : end].strip(), text[end + len(end_mark) :].lstrip()


def split_details(text: str) -> tuple[str, str, int | None]:
    """Return the thoughts and the rest of Open WebUI's text, without calls of tools, and the thoughts' milliseconds."""
    thoughts: list[str] = []
    rest: list[str] = []
    thought_ms: int | None = None
    at = 0
    while (start := _DETAILS.search(text, at)) is not None:
        end = text.find(_DETAILS_END, start.end())
        if end < 0:
            break
        rest.append(text[at : start.start()])
        inner = text[start.end() : end]
        inner = _SUMMARY.sub("", inner, count=1).strip("\n")
        if start[1] == "reasoning":
            thoughts.append(html.unescape(_QUOTE_MARK.sub("", html.unescape(inner))).strip())
            if duration := _DURATION.search(start[2]):
                thought_ms = (thought_ms or 0) + 1000 * int(duration[1])
        elif start[1] == "code_interpreter":
            rest.append(inner)
        at = end + len(_DETAILS_END)
    if at == 0:
        return "", text, None
    rest.append(text[at:])
    return "\n\n".join(filter(None, thoughts)), "".join(rest).strip(), thought_ms


def without_citations(text: str) -> str:
    """Return a text of ChatGPT without its marks of citations, which stand between characters of private use."""
    return _CITATION.sub("", text) if "\ue200" in text else text


def fenced(text: str, language: str = "") -> str:
    """Return a text as a block of code, with a fence that is longer than any in it."""
    longest = max((len(found) for found in _FENCES.findall(text)), default=2)
    fence = "`" * max(3, longest + 1)
    name = language if language.isascii() and language.replace("+", "").replace("#", "").isalnum() else ""
    return f"{fence}{name}\n{text.rstrip()}\n{fence}"


def with_document(text: str, name: str, content: str) -> str:
    """Return a message with the text of an attached document below it."""
    return "\n\n".join(
        filter(None, (text, f"{name.strip()}\n{fenced(content)}" if name else fenced(content)))
    )
