"""What load and provider exchange through the server: the order in a question, and the time stamp in each delta."""

import re
from dataclasses import dataclass

# A delta's text: its number and its send time (CLOCK_MONOTONIC, ns), both in hexadecimal, as long as three
# tokens. It begins with a space and needs no escape in JSON, so it can be found in any server's output.
STAMP = b" %x.%x"
STAMPS = re.compile(rb" ([0-9a-f]+)\.([0-9a-f]+)")
_ORDER = re.compile(rb"deltas=(\d+) rate=(\d+) phase=(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How the provider plays a stream: `deltas` of them at `rate` a second, `phase_us` into the interval.

    The first delta leaves at once, the others on a grid that all streams share, so that no two are in step.
    """

    deltas: int
    rate: int
    phase_us: int

    def text(self) -> str:
        """Return the order as the text of a question."""
        return f"deltas={self.deltas} rate={self.rate} phase={self.phase_us}"


def read_order(body: bytes) -> Order | None:
    """Return the last order in a request's body."""
    found = _ORDER.findall(body)
    if not found:
        return None
    deltas, rate, phase_us = map(int, found[-1])
    return Order(deltas=deltas, rate=rate, phase_us=phase_us)
