"""A bounded in-memory copy of recent conversations, used while the database is unavailable."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from webapp.conversation import MAX_REQUEST_IMAGES, Message, find_branch
from webapp.errors import Conflict
from webapp.store.branches import Branch
from webapp.store.conversations import conversation_not_found
from webapp.store.database import DatabaseUnavailable
from webapp.store.images import StoredImage

_MAX_BYTES = 16 * 1024 * 1024
_OVERHEAD_BYTES = 1_000
_MAX_MOVES = 1_000


class _CachedConversation:
    def __init__(self, owner: str, system: str | None) -> None:
        self.owner = owner
        self.system = system
        self.leaf: str | None = None
        self.messages: dict[str, Message] = {}
        self.images: dict[str, str] = {}
        self.sealed: dict[str, str] = {}  # by message
        self.has_documents = False
        self.size_bytes = 0  # as counted in the cache's total

    def measure_bytes(self) -> int:
        texts = sum(
            len(message.text) + len(message.reasoning) + _OVERHEAD_BYTES for message in self.messages.values()
        )
        texts += len(self.system or "") + sum(map(len, self.sealed.values()))
        return _OVERHEAD_BYTES + texts + sum(map(len, self.images.values()))


class ConversationCache:
    """Conversations by id. The least recently stored one is evicted first."""

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._conversations: OrderedDict[str, _CachedConversation] = OrderedDict()
        self._max_bytes = max_bytes
        self._bytes = 0
        self._moves: dict[str, str] = {}
        self._lock = threading.Lock()

    def store(
        self,
        owner: str,
        conversation: str,
        system: str | None,
        messages: Iterable[Message],
        images: dict[str, str],
        leaf: str | None = None,
        sealed: Mapping[str, str] = {},
        *,
        has_documents: bool | None = None,
    ) -> None:
        """Store messages; a later version of a message replaces the earlier one.

        `images` maps ids to base64, `sealed` the ids of cut answers to their reasoning; `has_documents` is None where that is
        not known anew.
        """
        with self._lock:
            entry = self._conversations.setdefault(conversation, _CachedConversation(owner, system))
            if entry.owner not in (owner, self._moves.get(owner)):
                return
            self._conversations.move_to_end(conversation)
            entry.messages |= {message.id: message for message in messages}
            entry.images |= images
            entry.sealed |= sealed
            entry.leaf = leaf or entry.leaf
            if has_documents is not None:
                entry.has_documents = has_documents
            self._bytes -= entry.size_bytes
            entry.size_bytes = entry.measure_bytes()
            self._bytes += entry.size_bytes
            while self._bytes > self._max_bytes and self._conversations:
                _, evicted = self._conversations.popitem(last=False)
                self._bytes -= evicted.size_bytes

    def forget(self, conversation: str) -> None:
        """Drop a conversation, because it was deleted or changed."""
        with self._lock:
            dropped = self._conversations.pop(conversation, None)
            if dropped is not None:
                self._bytes -= dropped.size_bytes

    def move(self, source: str, target: str) -> None:
        """Transfer an owner's conversations to another, and accept later messages that still name `source`."""
        with self._lock:
            self._moves[source] = target
            if len(self._moves) > _MAX_MOVES:
                del self._moves[next(iter(self._moves))]
            for entry in self._conversations.values():
                if entry.owner == source:
                    entry.owner = target

    def find_images(self, owner: str, conversation: str, image_ids: Sequence[str]) -> dict[str, StoredImage]:
        """Return the images with these ids, by id; those that are not cached are left out."""
        with self._lock:
            entry = self._conversations.get(conversation)
            if entry is None or entry.owner != owner:
                return {}
            refs = {ref.image: ref for message in entry.messages.values() for ref in message.images}
            cached = [image_id for image_id in image_ids if image_id in refs and image_id in entry.images]
            return {
                image_id: StoredImage(
                    id=image_id,
                    media_type=refs[image_id].media_type,
                    content=base64.b64decode(entry.images[image_id]),
                )
                for image_id in cached
            }

    def load_branch(
        self,
        owner: str,
        conversation: str,
        at: str | msgspec.UnsetType | None,
        run: str,
        *,
        continues: bool = False,
    ) -> Branch | None:
        """Return the branch down to `at`, as `branches.load_branch` does; None if the conversation may be new.

        Raises `DatabaseUnavailable` if the branch may contain messages that are not cached.
        """
        with self._lock:
            entry = self._conversations.get(conversation)
            if entry is None:
                if at is None:
                    return None
                # An unset `at` may mean the leaf of a long conversation, whose messages must not be omitted silently.
                raise _not_cached()
            if entry.owner != owner:
                raise conversation_not_found()
            if run in entry.messages:
                raise Conflict(
                    "This run has ended: its answer is in the conversation.", param="run", code="run_ended"
                )
            if at is msgspec.UNSET and entry.leaf is None:
                raise _not_cached()  # only parts of the conversation were stored, without its leaf
            last = entry.leaf if at is msgspec.UNSET else at
            parents = {message_id: message.parent for message_id, message in entry.messages.items()}
            message_ids = find_branch(parents, last)
            if last is not None and (not message_ids or parents[message_ids[0]] is not None):
                raise _not_cached()
            messages = [entry.messages[message_id] for message_id in message_ids]
            image_ids = [ref.image for message in messages for ref in message.images][-MAX_REQUEST_IMAGES:]
            return Branch(
                conversation=conversation,
                system=entry.system,
                at=last,
                messages=messages,
                images={
                    image_id: entry.images[image_id] for image_id in image_ids if image_id in entry.images
                },
                sealed=entry.sealed.get(last) if continues and last is not None else None,
                has_documents=entry.has_documents,
            )


def _not_cached() -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "The earlier messages cannot be loaded at the moment, so the question was not sent. Try again soon.",
        retry_after_s=5,
    )
