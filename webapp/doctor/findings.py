"""Judges what the probes observed. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

Code = Literal[
    "unreachable",
    "not_freshet",
    "redirect",
    "locked",
    "no_key",
    "wrong_key",
    "prefix_kept",
    "prefix_untold",
    "host",
    "https",
    "origin",
    "untrusted",
    "header",
    "buffered",
    "compressed",
    "cut",
    "ended",
    "upgrade",
    "failed",
]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that lies between. A note is harmless as the server is set up now; anything else breaks something.

    `header` is the header that did not arrive, or the one to set.
    """

    code: Code
    text: str
    is_note: bool = False
    header: str = ""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /doctor` says of a request that has arrived; see `api.doctor`."""

    headers: Mapping[str, bool]
    host: bool
    https: bool
    prefix: bool
    prefix_header: bool
    forwarded: bool
    trusted: bool
    heartbeat_s: float


class TimedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a test stream: when the server sent it and when it arrived, in seconds of each one's own clock."""

    sent_s: float
    arrived_s: float


class Streamed(msgspec.Struct, frozen=True, kw_only=True):
    """How a test stream went. `seconds` is from the request to the last byte or the end of the connection."""

    status: int
    encoding: str
    records: Sequence[TimedRecord]
    complete: bool
    seconds: float
    failure: str = ""


def judge_headers(arrived: Mapping[str, bool], sent: Sequence[str]) -> list[Finding]:
    """Judge which of the sent headers arrived."""
    return [
        Finding(code="header", header=name, text=f"The header {name} does not arrive: {_MISSED[name]}")
        for name in sent
        if not arrived.get(name, False)
    ]


def judge_arrival(arrival: Arrival) -> list[Finding]:
    """Judge whether the server knows the address that it was asked for."""
    found: list[Finding] = []
    if not arrival.host:
        found.append(
            Finding(
                code="host",
                header="Host",
                text="The server is asked by another host name than yours: it refuses your site's own pages (403) where the Origin is compared.",
            )
        )
    if not arrival.https:
        found.append(
            Finding(
                code="https",
                header="X-Forwarded-Proto",
                text="You ask over https, and the server is not told: it refuses its own pages (403), and cookies are not Secure.",
            )
        )
    if arrival.forwarded and not arrival.trusted:
        found.append(
            Finding(
                code="untrusted",
                is_note=arrival.https and arrival.prefix,
                text="The proxy's forwarding headers are ignored, because FRESHET_TRUSTED_PROXIES does not name it: all clients count as one address.",
            )
        )
    if not arrival.prefix:
        why = "is not trusted" if arrival.prefix_header else "is not sent"
        found.append(
            Finding(
                code="prefix_untold",
                is_note=True,
                header="X-Forwarded-Prefix",
                text=f"The path is stripped and X-Forwarded-Prefix {why}: everything works by relative addresses, but the cookies have the path /.",
            )
        )
    return found


_MISSED = {
    "Authorization": "programs cannot sign in.",
    "Last-Event-ID": "an answer cannot be resumed after a lost connection, and may be started twice.",
    "Origin": "other sites cannot be refused or admitted.",
    "Accept": "a request cannot be told from an image's or a page's.",
    "Content-Type": "every question is refused (415).",
    "Cookie": "nobody stays signed in.",
    "Idempotency-Key": "a repeated request is answered, and paid for, twice.",
    "Sec-Fetch-Site": "requests of other sites are recognised less well.",
}

_CUT_STATUSES = (0, 200, 502, 504)  # 0: no response came, because the proxy held back its beginning


def judge_steady(stream: Streamed) -> list[Finding]:
    """Judge a stream of records at a steady pace: those that arrive together were held back."""
    failed = _failure(stream, "The test stream")
    if failed:
        return failed
    records = stream.records
    sent = records[-1].sent_s - records[0].sent_s
    arrived = records[-1].arrived_s - records[0].arrived_s
    if arrived >= sent / 2:
        return []
    text = (
        f"Answers are held back: what the server sent in {sent:.1f} s arrived within {arrived:.1f} s. "
        "Text appears in bursts or only at the end."
    )
    return [Finding(code="buffered", text=text)]


def judge_encoding(stream: Streamed) -> list[Finding]:
    """Judge a stream that was asked for with all encodings: the server itself compresses none."""
    encoding = stream.encoding.lower()
    if encoding in ("", "identity"):
        return []
    return [
        Finding(
            code="compressed",
            text=f"Answers are compressed on their way ({encoding}): that holds frames back and costs more than it saves.",
        )
    ]


def judge_silence(stream: Streamed, silence_s: float, heartbeat_s: float) -> list[Finding]:
    """Judge a stream in which the server was silent for `silence_s` after its first record."""
    if stream.complete or stream.status not in _CUT_STATUSES:
        return []
    cut_s = stream.seconds
    is_note = cut_s > 1.5 * heartbeat_s
    effect = (
        f"Heartbeats every {heartbeat_s:g} s keep answers alive: keep FRESHET_HEARTBEAT_S below that."
        if is_note
        else f"The server's heartbeats come every {heartbeat_s:g} s: answers that pause are cut."
    )
    return [
        Finding(
            code="cut",
            is_note=is_note,
            text=f"A connection is cut after {cut_s:.0f} s of silence (tested to {silence_s:.0f} s). {effect}",
        )
    ]


def judge_duration(stream: Streamed, seconds: float) -> list[Finding]:
    """Judge a stream that was never silent for long."""
    if stream.complete or stream.status not in _CUT_STATUSES:
        return []
    text = f"A connection is cut after {stream.seconds:.0f} s although the server sends (tested to {seconds:.0f} s): longer answers are resumed again and again."
    return [Finding(code="ended", text=text)]


def judge_upgrade(status: int, *, ponged: bool) -> list[Finding]:
    """Judge a WebSocket handshake and the answer to a ping."""
    if status == 101 and ponged:
        return []
    what = f"is answered with {status}" if status and status != 101 else "gets no answer"
    if status == 101:
        what = "is accepted, but no data passes"
    return [
        Finding(
            code="upgrade",
            text=f"A WebSocket handshake {what}: clients of /ws do not work, and the page has no second transport.",
        )
    ]


def _failure(stream: Streamed, what: str) -> list[Finding]:
    if stream.records and stream.status == 200 and len(stream.records) > 1:
        return []
    reason = stream.failure or f"HTTP status {stream.status}, {len(stream.records)} records"
    return [Finding(code="failed", text=f"{what} did not arrive: {reason}.")]
