"""What happens in a storm, all of it drawn from one seed."""

import base64
import random
from dataclasses import dataclass
from typing import Literal

Blow = Literal["kill worker", "kill server", "kill master", "freeze", "hup", "roll", "term", "quit"]
"""`roll`: a new server first, SIGTERM to the old one meanwhile. `term`, `quit`: the signal, and a new server after the old one's end."""

_WEIGHTS: dict[Blow, int] = {
    "kill worker": 4,
    "kill server": 2,
    "kill master": 1,
    "freeze": 4,
    "hup": 2,
    "roll": 2,
    "term": 1,
    "quit": 1,
}
_CALM_S = 5.0  # between two blows on one server, on average
_FREEZE_S = (0.2, 4.0)
_PAUSE_S = (0.0, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One blow on a server. `choice` says which of its workers; `lasts_s` is how long it stays frozen or down."""

    at_s: float
    server: int
    blow: Blow
    choice: float
    lasts_s: float

    def describe(self) -> str:
        """Return one line for the report."""
        return f"{self.at_s:6.2f} s  server {self.server}  {self.blow} {self.lasts_s:.2f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnPlan:
    """One question: the pace of its answer, and what its readers and its user do."""

    run: str
    words: int
    first_s: float
    delta_s: float
    has_second_reader: bool
    second_after_s: float
    stop_after_s: float | None
    pause_s: float


def seeded(seed: int, *place: object) -> random.Random:
    """Return the dice of one part of a storm, which do not depend on what other parts draw."""
    return random.Random(":".join(map(str, (seed, *place))))


def new_id(dice: random.Random) -> str:
    """Draw an id as `frames.new_run` makes them."""
    return base64.urlsafe_b64encode(dice.randbytes(16)).decode().rstrip("=")


def plan_strikes(seed: int, server: int, seconds: float) -> list[Strike]:
    """Return the blows on one server, in order."""
    dice, at_s, found = seeded(seed, "server", server), 0.5, []
    while (at_s := at_s + dice.expovariate(1 / _CALM_S)) < seconds:
        (blow,) = dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))
        lasts_s = dice.uniform(*(_FREEZE_S if blow == "freeze" else _PAUSE_S))
        found.append(Strike(at_s=at_s, server=server, blow=blow, choice=dice.random(), lasts_s=lasts_s))
    return found


def plan_turn(seed: int, conversation: int, number: int) -> TurnPlan:
    """Return the plan of one question of a conversation."""
    dice = seeded(seed, "turn", conversation, number)
    return TurnPlan(
        run=new_id(dice),
        words=dice.randrange(20, 60),
        first_s=dice.choice((0.0, dice.uniform(0, 1.0))),
        delta_s=dice.uniform(0.05, 0.15),
        has_second_reader=dice.random() < 0.6,
        second_after_s=dice.uniform(0, 2.0),
        stop_after_s=dice.uniform(0, 5.0) if dice.random() < 0.2 else None,
        pause_s=dice.uniform(0, 1.0),
    )
