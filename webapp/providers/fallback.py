"""Asks one provider after another: only a failure before the first delta goes on to the next."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import pairwise

from webapp.chat import ModelRequest
from webapp.errors import AnswerError
from webapp.events import Event, ReasoningDelta, TextDelta
from webapp.seams import Control, Provider


def ask(
    chain: Sequence[Provider],
    request: ModelRequest,
    control: Control,
    switched: Callable[[AnswerError, Provider], None],
) -> Generator[Event, None, None]:
    """Yield what the first provider says that says anything.

    `switched(error, next)` is called before the next one is asked. The last one's failure is raised.
    """
    for provider, following in pairwise(chain):
        said = False
        try:
            for event in provider.stream(request, control):
                said = said or isinstance(event, (TextDelta, ReasoningDelta))
                yield event
        except AnswerError as error:
            if said:
                raise
            switched(error, following)
        else:
            return
    yield from chain[-1].stream(request, control)
