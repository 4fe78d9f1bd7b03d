"""Makes a call, and makes it again without what the provider refuses of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from webapp.errors import UpstreamError, release_frames
from webapp.events import Event, Finished, ParameterIgnored, ReasoningDelta, ReasoningSealed, TextDelta
from webapp.providers.decoder import ProviderDecoder
from webapp.providers.refusals.memory import RefusedParameters
from webapp.providers.refusals.parameters import Parameter, find_refused, find_refused_value, is_refusal
from webapp.providers.refusals.request_body import RequestBody
from webapp.providers.retries import RetryingClient
from webapp.seams import Call, Control, Decoder, EventStream

NewDecoder = Callable[[], Decoder]

_STATUS = 400  # of a refusal in a stream
_MAX_REPEATS = 4  # of one call: a server that checks one parameter at a time refuses them one after the other


class Repeater:
    """Makes one call, repeated with a changed body where the provider refuses a part of it.

    `memory` is what models refuse, shared by all calls; `model` is the key in it. `make_call` returns the call of a body.
    """

    def __init__(
        self,
        memory: RefusedParameters,
        model: tuple[str, ...],
        request: RequestBody,
        make_call: Callable[[dict[str, Any]], Call],
    ) -> None:
        self._memory = memory
        self._model = model
        self._request = request
        self._make_call = make_call
        self._ignored: list[str] = []
        self._learned: list[str] = []
        self._repeats = 0
        known = memory.recall(model)
        self._leave_out([parameter for parameter in request.parameters if parameter.path in known])

    def open(self, client: RetryingClient, new_decoder: NewDecoder, control: Control) -> EventStream:
        """Make the call; see `seams.Provider`. The first events name the parameters that were left out.

        `new_decoder` is called for each response.
        """
        return _RepeatedEvents(self, client, new_decoder, control)

    def make(self, client: RetryingClient, decoder: Decoder, control: Control) -> EventStream:
        """Make the call with the body as it is now."""
        try:
            return client.open(self._next_call, decoder, control)
        except UpstreamError as error:
            if not isinstance(decoder, ProviderDecoder):
                raise
            raise decoder.explain(error) from None

    def adapt(self, error: UpstreamError) -> bool:
        """Change the body after an error in the stream, before its first delta; return whether to make the call again."""
        if error.status is None and error.code == "upstream_bad_request":
            error.status = _STATUS  # a gateway passes on a refusal within a successful response
        return self._adapt(error)

    def accept(self) -> list[Event]:
        """Remember what was refused: the call has succeeded. Return the events about what was sent.

        That is one for each parameter that was left out, and one for reasoning that was given back: it is of use again.
        """
        self._memory.remember(self._model, self._learned)
        if self._request.learned_limit is not None:
            self._memory.remember_limit(self._model, self._request.learned_limit)
        names = dict.fromkeys([*self._request.ignored, *self._ignored])
        sealed = self._request.given_back
        return [*map(ParameterIgnored, names), *([] if sealed is None else [ReasoningSealed(sealed)])]

    def _next_call(self, error: UpstreamError | None) -> Call | None:
        if error is not None and not self._adapt(error):
            return None
        return self._make_call(self._request.body)

    def _adapt(self, error: UpstreamError) -> bool:
        """Change the body so that the provider may accept it; return whether there is a change to try."""
        if not is_refusal(error) or self._repeats >= _MAX_REPEATS:
            return False
        self._repeats += 1
        word = self._request.change(error)
        if word is not None:
            self._learned += [word] if word else []
            return True
        sent = [each for each in self._request.parameters if each.is_in(self._request.body)]
        refused = find_refused(error, sent) or find_refused_value(error, sent, self._request.body)
        self._learned += [parameter.path for parameter in refused]
        self._leave_out(refused)
        return bool(refused)

    def _leave_out(self, parameters: Iterable[Parameter]) -> None:
        for parameter in parameters:
            if parameter.remove_from(self._request.body) and parameter.name:
                self._ignored.append(parameter.name)


class _RepeatedEvents:
    """An answer's events, which begin anew where the stream refuses the request instead of answering it."""

    def __init__(
        self, repeater: Repeater, client: RetryingClient, new_decoder: NewDecoder, control: Control
    ) -> None:
        self._repeater: Repeater | None = repeater
        self._client = client
        self._new_decoder = new_decoder
        self._control = control
        self._events = repeater.make(client, new_decoder(), control)

    @property
    def has_more(self) -> bool:
        """See `seams.EventStream`."""
        return self._events.has_more

    def read(self, *, wait: bool = True) -> Sequence[Event]:
        """Return the events that have arrived; see `seams.EventStream`."""
        repeater = self._repeater
        if repeater is None:
            return self._events.read(wait=wait)
        while True:
            try:
                events = self._events.read(wait=wait)
            except UpstreamError as error:
                if not repeater.adapt(error):
                    raise
                release_frames(error)
                self._events.close()
                self._events = repeater.make(self._client, self._new_decoder(), self._control)
            else:
                if any(isinstance(event, (TextDelta, ReasoningDelta, Finished)) for event in events):
                    self._repeater = None  # frees memory: a request may fill a context window
                    events = [*repeater.accept(), *events]
                return events

    @property
    def rest(self) -> EventStream:
        """See `seams.EventStream`."""
        return self if self._repeater is not None else self._events.rest

    def close(self) -> None:
        """End the call."""
        self._events.close()
