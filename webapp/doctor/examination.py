"""Runs the probes, those that take long beside each other, and collects the findings."""

from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor

import msgspec

from webapp.doctor.advice import recognize
from webapp.doctor.findings import (
    Arrival,
    Code,
    Finding,
    judge_arrival,
    judge_duration,
    judge_encoding,
    judge_headers,
    judge_silence,
    judge_steady,
    judge_upgrade,
)
from webapp.doctor.probes import Reply, Target, arrival_path

_STEADY_S, _STEADY_EVERY_S = 3.0, 0.25
_LIVELY_EVERY_S = 5.0
_ENCODINGS = "gzip, br, zstd"
_VALUES = {
    "Last-Event-ID": "doctor",
    "Accept": "text/event-stream",
    "Content-Type": "application/json",
    "Cookie": "doctor=1",
    "Idempotency-Key": "doctor",
    "Sec-Fetch-Site": "same-origin",
}


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and the proxy that the responses show, if they show one."""

    findings: list[Finding]
    proxy: str | None = None


class _Error(msgspec.Struct):
    code: str | None = None
    message: str = ""


class _ErrorBody(msgspec.Struct):
    error: _Error


def examine(target: Target, silence_s: float) -> Examination:
    """Examine what lies between here and a server; takes `silence_s` and some seconds. Raises nothing."""
    try:
        health = target.get("/healthz", with_key=False)
        stopped = _judge_health(health, target)
        if stopped is not None:
            return Examination(findings=[stopped], proxy=recognize(health.headers))
        reply = target.get(arrival_path(target), _VALUES)
        if reply.status != 200:
            finding = _judge_refusal(reply, target)
            return Examination(findings=[finding], proxy=recognize(reply.headers))
        arrival = msgspec.json.decode(reply.body, type=Arrival)
        findings = _judge_origin(target, arrival)
    except (OSError, http.client.HTTPException) as error:
        text = f"{target.url} does not answer: {error or type(error).__name__}"
        return Examination(findings=[Finding(code="unreachable", text=text)])
    except msgspec.MsgspecError:
        return Examination(findings=[_not_freshet(target)], proxy=recognize(reply.headers))
    return Examination(
        findings=findings + _probe_streams(target, silence_s, arrival.heartbeat_s),
        proxy=recognize(reply.headers),
    )


def _probe_streams(target: Target, silence_s: float, heartbeat_s: float) -> list[Finding]:
    with ThreadPoolExecutor(5) as pool:
        steady = pool.submit(target.stream, _STEADY_S, _STEADY_EVERY_S)
        encoded = pool.submit(target.stream, 1.0, _STEADY_EVERY_S, _ENCODINGS)
        silent = pool.submit(target.stream, silence_s, silence_s)
        lively = pool.submit(target.stream, silence_s, min(_LIVELY_EVERY_S, silence_s / 8))
        upgrade = pool.submit(target.upgrade)
        status, ponged = upgrade.result()
        compressed = judge_encoding(encoded.result()) or judge_encoding(steady.result())
        cut = judge_silence(silent.result(), silence_s, heartbeat_s)
        return [
            *([] if steady.result().encoding else judge_steady(steady.result())),
            *compressed,
            *cut,
            *([] if cut and not cut[0].is_note else judge_duration(lively.result(), silence_s)),
            *judge_upgrade(status, ponged=ponged),
        ]


def _judge_health(reply: Reply, target: Target) -> Finding | None:
    """Return why the address leads to no server of Freshet, or None."""
    if reply.status == 200 and reply.body.strip() == b'{"status":"ok"}':
        return None
    if 300 <= reply.status < 400:
        text = (
            f"{target.url} redirects to {reply.headers.get('location', 'another address')!r}: examine that."
        )
        return Finding(code="redirect", text=text)
    if target.prefix and _error(reply) is not None and reply.status == 404:
        text = f"The path {target.prefix} is not stripped: the server looks for {target.prefix}/healthz and answers 404."
        return Finding(code="prefix_kept", text=text)
    return _not_freshet(target, reply.status)


def _not_freshet(target: Target, status: int = 200) -> Finding:
    text = f"{target.url}/healthz does not lead to a server of Freshet (HTTP status {status}): the proxy answers itself, or another program does."
    return Finding(code="not_freshet", text=text)


def _judge_refusal(reply: Reply, target: Target) -> Finding:
    error = _error(reply)
    if error is None:
        return Finding(
            code="not_freshet", text=f"{target.url}/doctor is answered with {reply.status}, not by Freshet."
        )
    if error.code == "no_key" and target.has_key:
        return Finding(
            code="header",
            header="Authorization",
            text="The header Authorization does not arrive: programs cannot sign in, and nothing else could be tested.",
        )
    known: dict[str, Code] = {"no_key": "no_key", "wrong_key": "wrong_key", "locked": "locked"}
    return Finding(code=known.get(error.code or "", "failed"), text=error.message)


def _judge_origin(target: Target, arrival: Arrival) -> list[Finding]:
    """Ask again as the server's own page would, and judge both arrivals."""
    sent = [*_VALUES, "Authorization"] if target.has_key else list(_VALUES)
    findings = judge_headers(arrival.headers, sent) + judge_arrival(arrival)
    reply = target.get(arrival_path(target), {"Origin": target.origin})
    if reply.status == 200:
        headers = msgspec.json.decode(reply.body, type=Arrival).headers
        return findings + judge_headers(headers, ["Origin"])
    if not any(finding.code in ("host", "https") for finding in findings):
        error = _error(reply)
        text = (
            f"The server's own page is refused: {error.message if error else f'HTTP status {reply.status}'}"
        )
        findings.append(Finding(code="origin", text=text))
    return findings


def _error(reply: Reply) -> _Error | None:
    """Return the error in a response of Freshet's, or None."""
    try:
        return msgspec.json.decode(reply.body, type=_ErrorBody).error
    except msgspec.MsgspecError:
        return None
