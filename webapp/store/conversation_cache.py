"""What this process remembers of conversations, for as long as the database is away. Bounded; the oldest go."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec

from webapp.conversation import MOST_IMAGES_TOLD, Message, branch
from webapp.errors import Conflict
from webapp.store.branches import Branch
from webapp.store.conversations import not_found
from webapp.store.database import Away
from webapp.store.images import StoredImage

_MOST_BYTES = 16 * 1024 * 1024
_OVERHEAD_BYTES = 1_000
_MOST_MOVES = 1_000


class _Known:
    def __init__(self, owner: str, system: str | None) -> None:
        self.owner = owner
        self.system = system
        self.leaf: str | None = None
        self.messages: dict[str, Message] = {}
        self.images: dict[str, str] = {}
        self.weight = 0

    def weigh(self) -> int:
        texts = sum(len(one.text) + len(one.reasoning) + _OVERHEAD_BYTES for one in self.messages.values())
        texts += len(self.system or "")
        return _OVERHEAD_BYTES + texts + sum(map(len, self.images.values()))


class ConversationCache:
    """Conversations by name, the last used last."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._most_bytes = most_bytes
        self._bytes = 0
        self._moves: dict[str, str] = {}
        self._lock = threading.Lock()

    def keep(
        self,
        owner: str,
        conversation: str,
        system: str | None,
        messages: Iterable[Message],
        images: dict[str, str],
        leaf: str | None = None,
    ) -> None:
        """Remember messages; a later version of one replaces the earlier."""
        with self._lock:
            known = self._known.setdefault(conversation, _Known(owner, system))
            if known.owner not in (owner, self._moves.get(owner)):
                return
            self._known.move_to_end(conversation)
            known.messages |= {message.id: message for message in messages}
            known.images |= images
            known.leaf = leaf or known.leaf
            self._bytes -= known.weight
            known.weight = known.weigh()
            self._bytes += known.weight
            while self._bytes > self._most_bytes and self._known:
                _, gone = self._known.popitem(last=False)
                self._bytes -= gone.weight

    def forget(self, conversation: str) -> None:
        """Forget one that was deleted or changed."""
        with self._lock:
            gone = self._known.pop(conversation, None)
            if gone is not None:
                self._bytes -= gone.weight

    def move(self, source: str, target: str) -> None:
        """Give what is remembered of an owner's conversations to another, and what is still to come of them."""
        with self._lock:
            self._moves[source] = target
            if len(self._moves) > _MOST_MOVES:
                del self._moves[next(iter(self._moves))]
            for known in self._known.values():
                if known.owner == source:
                    known.owner = target

    def pictures(self, owner: str, conversation: str, names: Sequence[str]) -> dict[str, StoredImage]:
        """Give those of the named images that are remembered with the message that shows them."""
        with self._lock:
            known = self._known.get(conversation)
            if known is None or known.owner != owner:
                return {}
            types = {ref.image: ref for one in known.messages.values() for ref in one.images}
            wanted = [name for name in names if name in types and name in known.images]
            return {
                name: StoredImage(
                    id=name, media_type=types[name].media_type, content=base64.b64decode(known.images[name])
                )
                for name in wanted
            }

    def read(
        self, owner: str, conversation: str, at: str | msgspec.UnsetType | None, run: str
    ) -> Branch | None:
        """Give the branch down to `at` as `branches.read` does; None for one that may well be new.

        Raises `Away` where the question may stand on messages that are not remembered: all but one before the
        first.
        """
        with self._lock:
            known = self._known.get(conversation)
            if known is None:
                if at is None:
                    return None
                raise _forgotten()  # unset might be the leaf of a long conversation: nothing may be left out unsaid
            if known.owner != owner:
                raise not_found()
            if run in known.messages:
                raise Conflict(
                    "This run has ended: its answer is in the conversation.", param="run", code="run_ended"
                )
            last = known.leaf if at is msgspec.UNSET else at
            parents = {name: message.parent for name, message in known.messages.items()}
            names = branch(parents, last)
            if last is not None and (not names or parents[names[0]] is not None):
                raise _forgotten()
            found = [known.messages[name] for name in names]
            wanted = [piece.image for message in found for piece in message.images][-MOST_IMAGES_TOLD:]
            return Branch(
                conversation=conversation,
                system=known.system,
                at=last,
                messages=found,
                images={name: known.images[name] for name in wanted if name in known.images},
            )


def _forgotten() -> Away:
    return Away(
        "The earlier messages cannot be reached at the moment, so nothing was asked.", retry_after_s=5
    )
