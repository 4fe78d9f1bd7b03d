"""Recorded responses of providers in `recordings/`, and helpers that decode them.

A recording's first line, `# …`, is a note about its peculiarity; the rest is the body, byte for byte.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.unit.splits import Pieces, same_for_all_splits
from webapp.errors import UpstreamError
from webapp.events import Event, Finished, ReasoningDelta, Source, SourcesFound, TextDelta, UsageReport
from webapp.seams import Decoder

FOLDER = Path(__file__).parent / "recordings"
LIMIT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The content of a body: text and reasoning, the last usage, and how it finished or failed."""

    text: str = ""
    reasoning: str = ""
    usage: tuple[int | None, int | None] | None = None
    reason: str | None = None
    model: str | None = None
    damaged: int = 0
    failure: str | None = None
    retryable: bool | None = None
    sources: tuple[Source, ...] = ()


def recording_names(dialect: str) -> list[str]:
    """Return the names of a provider's recordings."""
    return sorted(path.stem for path in (FOLDER / dialect).glob("*.txt"))


def recording(dialect: str, name: str) -> bytes:
    """Return the body of a recording."""
    note, _, body = (FOLDER / dialect / f"{name}.txt").read_bytes().partition(b"\n")
    assert note.startswith(b"# "), f"{name}: the first line must be a note"
    assert len(note) > 20, f"{name}: the note is too short"
    return body


def decode_recording(make: Callable[[int], Decoder], body: bytes) -> Decoded:
    """Decode a body, assert that every split gives the same events, and return their content."""

    def read(pieces: Pieces) -> tuple[list[Event], str | None, bool | None]:
        decoder = make(LIMIT)
        events: list[Event] = []
        for piece in pieces:
            events += decoder.decode(piece)
            if decoder.error is not None:
                break
        else:
            events += decoder.flush()
        if decoder.error is not None:
            return events, decoder.error.code, decoder.error.retryable
        assert decoder.finished == isinstance(events[-1], Finished)
        return events, None, None

    return _summarize(*same_for_all_splits(read, body))


def _summarize(events: list[Event], failure: str | None, retryable: bool | None) -> Decoded:
    last = events[-1] if events and isinstance(events[-1], Finished) else None
    assert sum(isinstance(event, Finished) for event in events) == (last is not None)
    assert (last is None) == (failure is not None)
    sources = [one.sources for one in events if isinstance(one, SourcesFound)]
    usage = [(one.input_tokens, one.output_tokens) for one in events if isinstance(one, UsageReport)]
    return Decoded(
        text="".join(event.text for event in events if isinstance(event, TextDelta)),
        reasoning="".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        usage=usage[-1] if usage else None,
        reason=last.finish_reason if last else None,
        model=last.model if last else None,
        damaged=last.damaged if last else 0,
        failure=failure,
        retryable=retryable,
        sources=sources[-1] if sources else (),
    )


def detail_of(make: Callable[[int], Decoder], body: bytes) -> str:
    """Decode a body that fails, and return the detail of its error."""
    decoder = make(LIMIT)
    decoder.decode(body)
    if decoder.error is None:
        decoder.flush()
    assert isinstance(decoder.error, UpstreamError), "it did not fail"
    return decoder.error.detail
