"""Reads the sources that providers cite, in every form in which they come.

A source comes as an address alone, as an object (`url`, `title`, `snippet` …), as OpenAI's annotation (`url_citation`, flat or
nested) or as Anthropic's citation. Lists beside the answer (`citations`, `search_results`) are what `[n]` in its text refers to.
"""

from __future__ import annotations

from typing import Any

from webapp.events import MAX_SOURCES, Event, Source, SourcesFound, web_address

_MAX_TITLE_CHARS = 300
_MAX_SNIPPET_CHARS = 500
_MAX_DEPTH = 2  # an annotation has its citation one level down

_NESTED = (
    "url_citation",
    "file_citation",
    "container_file_citation",
    "citation",
    "web",
    "source",
    "document",
)
# Where lists of sources stand: of Zhipu, DashScope, Gemini, Groq and gateways; and what is around them.
_LISTS = (
    *("citations", "search_results", "sources", "web_search", "results"),
    *("grounding_chunks", "groundingChunks"),
)
_HOLDERS = (
    *("choices", "delta", "message", "search_info", "executed_tools", "extra_content", "google"),
    *("grounding_metadata", "groundingMetadata", "vertex_ai_grounding_metadata", "provider_specific_fields"),
)
_MAX_LIST_DEPTH = 8
_ADDRESSES = ("url", "uri", "link", "href", "source", "filepath")
_TITLES = ("title", "document_title", "filename", "name", "filepath")
_SNIPPETS = ("snippet", "cited_text", "content", "text", "description")


class SourceCollector:
    """Collects the sources of one answer.

    A listed source keeps its place in the list as its number. Others are numbered in the order in which they are first cited,
    after the listed ones.
    """

    def __init__(self) -> None:
        self._listed: tuple[Source, ...] = ()
        self._details: dict[str, Source] = {}  # titles and snippets of listed addresses
        self._cited: list[Source] = []
        self._seen: tuple[Any, Any] = (None, None)
        self._reported: tuple[Source, ...] = ()

    def add_lists(self, citations: object, details: object, events: list[Event]) -> None:
        """Add the lists beside an answer: all of its sources so far, and with the second their titles.

        Most servers repeat both with every chunk. Appends `SourcesFound` if there is anything new.
        """
        if (citations, details) == self._seen:
            return
        self._seen = (citations, details)
        if details:
            for source in _read_list(details):
                self._details.setdefault(source.source or source.title, source)
        listed = _read_list(citations) or _read_list(details)
        if listed:
            self._listed = tuple(self._with_details(source) for source in listed)
        self._report(events)

    def add_citations(self, citations: object, events: list[Event]) -> None:
        """Add citations (annotations) of a part of the text: one, or a list. Appends `SourcesFound` if any is new."""
        for citation in _flat(citations):
            if len(self._cited) >= MAX_SOURCES:
                break
            source = _read_source(citation, 0)
            if source is not None and not self._is_known(source):
                self._cited.append(source)
        self._report(events)

    @property
    def is_empty(self) -> bool:
        """Whether no source has been found yet."""
        return not self._reported

    def _with_details(self, source: Source) -> Source:
        found = self._details.get(source.source)
        if found is None or not source.source:
            return source
        return Source(
            n=source.n,
            title=source.title or found.title,
            source=source.source,
            snippet=source.snippet or found.snippet,
        )

    def _is_known(self, source: Source) -> bool:
        key = _key(source)
        return any(_key(known) == key for known in (*self._listed, *self._cited))

    def _report(self, events: list[Event]) -> None:
        sources = list(self._listed)
        keys = {_key(source) for source in sources}
        next_n = max((source.n for source in sources), default=0) + 1
        for source in self._cited:
            if _key(source) not in keys and len(sources) < MAX_SOURCES:
                sources.append(
                    Source(n=next_n, title=source.title, source=source.source, snippet=source.snippet)
                )
                next_n += 1
        found = tuple(sources)
        if found and found != self._reported:
            self._reported = found
            events.append(SourcesFound(found))


def _key(source: Source) -> str:
    return source.source or f"title {source.title}"


def find_list(chunk: object, depth: int = 0) -> list[Any]:
    """Return the first list of sources in an object, wherever servers put it."""
    if depth > _MAX_LIST_DEPTH:
        return []
    if isinstance(chunk, list):
        return next((found for each in chunk[:MAX_SOURCES] if (found := find_list(each, depth + 1))), [])
    if not isinstance(chunk, dict):
        return []
    for name in _LISTS:
        if _read_list(chunk.get(name)):
            return _entries(chunk[name])
    inner = (value for name, value in chunk.items() if name in (*_LISTS, *_HOLDERS))
    return next((found for each in inner if (found := find_list(each, depth + 1))), [])


def _flat(citations: object) -> list[Any]:
    """Return one citation, a list, or a list of lists (LiteLLM) as a list."""
    if not isinstance(citations, list):
        return [citations]
    return [each for one in citations for each in (one if isinstance(one, list) else [one])]


def _entries(raw: object) -> list[Any]:
    """Return the entries of a list, also of one that is an object by number, or a single address."""
    if isinstance(raw, str):
        return [raw]
    if isinstance(raw, dict):
        return list(raw.values())
    return raw if isinstance(raw, list) else []


def _read_list(raw: object) -> list[Source]:
    """Return the sources of a list, numbered by their places: one that cannot be read leaves a gap."""
    found = []
    for n, entry in enumerate(_entries(raw)[:MAX_SOURCES], 1):
        source = _read_source(entry, 0)
        if source is not None:
            found.append(Source(n=n, title=source.title, source=source.source, snippet=source.snippet))
    return found


def _read_source(raw: object, depth: int) -> Source | None:
    """Return a source with number 0; None if it has neither an http(s) address nor a title."""
    if isinstance(raw, str):
        address = _address(raw)
        return Source(n=0, source=address) if address else None
    if not isinstance(raw, dict):
        return None
    address = next((found for name in _ADDRESSES if (found := _address(raw.get(name)))), "")
    title = _first_text(raw, _TITLES, _MAX_TITLE_CHARS)
    if not address:
        nested = next((raw[name] for name in _NESTED if isinstance(raw.get(name), dict)), None)
        if nested is not None and depth < _MAX_DEPTH:
            return _read_source(nested, depth + 1)
    if not address and not title:
        return None
    return Source(n=0, title=title, source=address, snippet=_first_text(raw, _SNIPPETS, _MAX_SNIPPET_CHARS))


def _first_text(raw: dict[Any, Any], names: tuple[str, ...], limit: int) -> str:
    """Return the first of the fields that is a text, on one line, of at most `limit` characters."""
    for name in names:
        value = raw.get(name)
        if isinstance(value, str) and value.strip():
            text = " ".join(value[: 4 * limit].split())
            return text if len(text) <= limit else text[: limit - 1] + "…"
    return ""


def _address(raw: object) -> str:
    return web_address(raw) if isinstance(raw, str) else ""
