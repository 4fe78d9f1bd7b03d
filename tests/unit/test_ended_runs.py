"""A question whose answer its conversation has already: the run has ended, unless only the journal knows and is away."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.starting import RUN, run_starter, user
from webapp.api.start_request import StartBody
from webapp.errors import Conflict, JournalUnavailable, NotFound, RequestError


class _Runs:
    """No run of this process; `error` is what the journal says of others."""

    def __init__(self, error: RequestError | None) -> None:
        self._error = error

    def find_joinable(self, *_: object) -> None:
        return None

    def is_running(self, name: str) -> bool:
        del name
        return False

    def find(self, name: str, owner: str | None) -> object:
        del name, owner
        if self._error is not None:
            raise self._error
        return object()


class _Store:
    def plan(self, *_: object) -> None:
        raise Conflict("This run has ended.", param="run", code="run_ended")


@pytest.mark.parametrize(
    ("said", "raised"),
    [(JournalUnavailable(), JournalUnavailable), (NotFound("no run"), Conflict), (None, Conflict)],
    ids=["journal away", "no run", "ended run"],
)
def test_a_run_has_ended_only_if_no_other_worker_may_have_it(
    said: RequestError | None, raised: type[RequestError]
) -> None:
    parts: Any = {"runs": _Runs(said), "store": _Store()}
    starter = replace(run_starter(), **parts)
    with pytest.raises(raised):
        starter.start(StartBody(query="Well?", conversation=RUN, run=RUN), user())
