"""The body of a request that a provider may refuse a part of: what can be left out of it, and how else it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webapp.errors import UpstreamError
from webapp.providers.refusals.answer_limit import AnswerLimit
from webapp.providers.refusals.parameters import Parameter


class RequestBody:
    """The fields of a body, which is changed in place until the provider accepts it. Each dialect has a subclass that builds it.

    Args:
        body: The fields, encoded as JSON for each call.
        parameters: The parts that can be left out.
        ignored: What the caller asked for and was left out, by the caller's names; `change` may add to it.
    """

    def __init__(
        self, body: dict[str, Any], parameters: Sequence[Parameter] = (), ignored: Sequence[str] = ()
    ) -> None:
        self.body = body
        self.parameters = parameters
        self.ignored = list(ignored)
        self.learned_limit: AnswerLimit | None = None
        """What a refusal has shown of the longest answer, to be remembered once the changed call succeeds."""

        self.given_back: str | None = None
        """The sealed reasoning that is part of the body, of an answer that is continued."""

    def change(self, error: UpstreamError) -> str | None:
        """Change the body after a refusal of something else than a parameter.

        Returns a word for `RefusedParameters`, by which the next body is built without what was refused; "" if there is
        nothing to remember; None if nothing was changed. Asked before the parameters are searched for what is refused.
        """
        del error
        return None
