"""Recordings of providers in `recordings/`, and what a decoder hears in them.

A recording's first line, `# …`, says what is odd about it; all after it is the body, byte for byte.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.unit.splits import Pieces, same_for_all_cuts
from webapp.errors import UpstreamError
from webapp.events import Event, Finished, ReasoningDelta, TextDelta, UsageReport
from webapp.seams import Decoder

FOLDER = Path(__file__).parent / "recordings"
LIMIT = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a body says: its text and thinking, the last usage, how it finished or failed."""

    text: str = ""
    reasoning: str = ""
    usage: tuple[int | None, int | None] | None = None
    reason: str | None = None
    model: str | None = None
    damaged: int = 0
    failure: str | None = None
    retryable: bool | None = None


def names(dialect: str) -> list[str]:
    """Name the recordings of a dialect."""
    return sorted(path.stem for path in (FOLDER / dialect).glob("*.txt"))


def recording(dialect: str, name: str) -> bytes:
    """Read the body of a recording."""
    odd, _, body = (FOLDER / dialect / f"{name}.txt").read_bytes().partition(b"\n")
    assert odd.startswith(b"# "), f"{name}: say in the first line what is odd about it"
    assert len(odd) > 20, f"{name}: say it in more words"
    return body


def hear(make: Callable[[int], Decoder], body: bytes) -> Heard:
    """Decode a body, cut in every way, to the same events; and say what they are."""

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

    return _summed(*same_for_all_cuts(read, body))


def _summed(events: list[Event], failure: str | None, retryable: bool | None) -> Heard:
    last = events[-1] if events and isinstance(events[-1], Finished) else None
    assert sum(isinstance(event, Finished) for event in events) == (last is not None)
    assert (last is None) == (failure is not None)
    usage = [(one.input_tokens, one.output_tokens) for one in events if isinstance(one, UsageReport)]
    return Heard(
        text="".join(event.text for event in events if isinstance(event, TextDelta)),
        reasoning="".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        usage=usage[-1] if usage else None,
        reason=last.finish_reason if last else None,
        model=last.model if last else None,
        damaged=last.damaged if last else 0,
        failure=failure,
        retryable=retryable,
    )


def detail_of(make: Callable[[int], Decoder], body: bytes) -> str:
    """Decode a body that fails, and give what its error tells the operator."""
    decoder = make(LIMIT)
    decoder.decode(body)
    if decoder.error is None:
        decoder.flush()
    assert isinstance(decoder.error, UpstreamError), "it did not fail"
    return decoder.error.detail
