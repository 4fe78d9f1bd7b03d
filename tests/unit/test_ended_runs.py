"""A question whose answer its conversation has already: the run has ended, unless only the journal knows and is away."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.unit.starting import RUN, run_starter, user
from webapp.api.start_request import StartBody
from webapp.errors import Conflict, JournalUnavailable, NotFound, RequestError


class _Runs:
    """No run that can be joined at first; `error` is what the journal says of others when it is asked again."""

    def __init__(self, error: RequestError | None, fingerprint: str = "") -> None:
        self._error = error
        self.found = SimpleNamespace(owner=None, fingerprint=fingerprint)

    def find_joinable(self, name: str, owner: str, fingerprint: str) -> None:
        del name, owner
        self.found.fingerprint = self.found.fingerprint or fingerprint

    def is_running(self, name: str) -> bool:
        del name
        return False

    def find(self, name: str, owner: str | None) -> object:
        del name, owner
        if self._error is not None:
            raise self._error
        return self.found


class _Store:
    def plan(self, *_: object) -> None:
        raise Conflict("This run has ended.", param="run", code="run_ended")


@pytest.mark.parametrize(
    ("said", "raised"),
    [(JournalUnavailable(), JournalUnavailable), (NotFound("no run"), Conflict)],
    ids=["journal away", "no run"],
)
def test_a_run_has_ended_only_if_no_other_worker_may_have_it(
    said: RequestError | None, raised: type[RequestError]
) -> None:
    parts: Any = {"runs": _Runs(said), "store": _Store()}
    starter = replace(run_starter(), **parts)
    with pytest.raises(raised):
        starter.start(StartBody(query="Well?", conversation=RUN, run=RUN), user())


@pytest.mark.parametrize("is_same", [True, False], ids=["same body", "other body"])
def test_a_run_that_ended_meanwhile_is_joined(is_same: bool) -> None:
    """The journal was away when the run was looked for first, and is back."""
    runs = _Runs(None, "" if is_same else "other")
    parts: Any = {"runs": runs, "store": _Store()}
    starter = replace(run_starter(), **parts)
    body = StartBody(query="Well?", conversation=RUN, run=RUN)
    if is_same:
        assert starter.start(body, user()) is runs.found  # type: ignore[comparison-overlap]
    else:
        with pytest.raises(Conflict, match="another body"):
            starter.start(body, user())
