"""The plan: the workloads, the contenders of each, and their order. Values only."""

from dataclasses import dataclass

from tests.bench.dialects import Dialect

FRAME_MS = 33  # Freshet's default window, FRESHET_FRAME_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A workload: `streams` at `rate` deltas a second each, opened over `ramp_s` seconds."""

    name: str
    streams: int
    rate: int
    ramp_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A row of the table: a server, and the protocol of its clients."""

    name: str
    server: str
    dialect: Dialect
    label: str


FAST = Work(name="50x200", streams=50, rate=200, ramp_s=0.3)
CALM = Work(name="50x50", streams=50, rate=50, ramp_s=0.3)
MANY = Work(name="1000x10", streams=1000, rate=10, ramp_s=6.0)
FIRST_TEXT_WORK = Work(name="first-text", streams=1, rate=100, ramp_s=0.0)
# Begun at the same moment, many times over; and answers whose deltas all arrive together.
BURST = Work(name="burst", streams=50, rate=100, ramp_s=0.0)
SHORT = Work(name="short", streams=8, rate=0, ramp_s=0.0)
MEMORY_WORK = Work(name="memory", streams=1000, rate=10, ramp_s=2.0)
HALF = "half-core"  # a work sized while running, so that Freshet takes a little under half of the core

DIRECT = Contender(name="direct", server="provider", dialect="openai", label="no server between")
NGINX = Contender(name="nginx", server="nginx", dialect="openai", label="nginx, proxy_buffering off")
NGINX_TLS = Contender(
    name="nginx-tls", server="nginx-tls", dialect="openai", label="nginx, TLS to the provider"
)
STARLETTE = Contender(
    name="starlette", server="starlette", dialect="openai", label="Starlette + httpx, bytes"
)
PLAIN = Contender(name="plain", server="plain", dialect="openai", label="Flask, iter_lines + json")
FRESHET = Contender(name="freshet", server="freshet", dialect="freshet", label="Freshet")
FRESHET_TLS = Contender(
    name="freshet-tls", server="freshet-tls", dialect="freshet", label="Freshet, TLS to the provider"
)
FRESHET_WS = Contender(name="freshet-ws", server="freshet", dialect="websocket", label="Freshet, WebSocket")

CONTENDERS = (DIRECT, NGINX, NGINX_TLS, STARLETTE, PLAIN, FRESHET, FRESHET_TLS, FRESHET_WS)
WORKS = (FAST, CALM, MANY)
FLOWS: dict[str, tuple[Contender, ...]] = {
    FAST.name: (DIRECT, NGINX, FRESHET, STARLETTE, PLAIN, NGINX_TLS, FRESHET_TLS, FRESHET_WS),
    CALM.name: (DIRECT, NGINX, FRESHET, STARLETTE, PLAIN, FRESHET_TLS, FRESHET_WS),
    MANY.name: (NGINX, FRESHET, STARLETTE, FRESHET_TLS),
    HALF: (FRESHET,),
}
FIRST_TEXT = (DIRECT, NGINX, STARLETTE, PLAIN, FRESHET)
BURSTS = (NGINX, STARLETTE, FRESHET)
SHORTS = (NGINX, STARLETTE, FRESHET)
MEMORY = (NGINX, STARLETTE, PLAIN, FRESHET)


def turn(contenders: tuple[Contender, ...], round_number: int) -> tuple[Contender, ...]:
    """Rotate the contenders, so that each round begins with another one and drift of the machine affects all alike."""
    start = round_number % len(contenders)
    return contenders[start:] + contenders[:start]


def half_core(share: float, helpers_share: float) -> Work:
    """Return the workload that takes about half a core, from the measured CPU time of `CALM`."""
    growth = min(0.47 / max(share, 0.01), 0.75 / max(helpers_share, 0.01), 1000 / CALM.streams)
    streams = max(CALM.streams, int(CALM.streams * growth))
    return Work(name=HALF, streams=streams, rate=CALM.rate, ramp_s=streams / 250)
