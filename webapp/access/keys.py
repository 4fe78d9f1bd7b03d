"""Publishable keys as one worker sees them: found by their values, made, rotated, changed and revoked."""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
import string
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from webapp.access.secret import Secret
from webapp.errors import NotFound, Unavailable
from webapp.publishable_keys import PREFIX, KeyProfile, KeyValue, PublishableKey
from webapp.seams import KeyStore

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

log_ = logging.getLogger("freshet.access")

ROTATION_S = (
    7 * 24 * 3_600
)  # how long the value before a rotation stays valid, unless somebody says otherwise
_FRESH_S = 1.0  # so that a revoked key is refused within two seconds
_STALE_S = 15 * 60.0  # while the database is unreachable
_LETTERS = string.ascii_letters + string.digits
_SECRET_PREFIX = "fps_"  # noqa: S105


class NewValue(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its newest value, and the secret with which a site's own server signs visitors: it is shown only now."""

    key: PublishableKey
    secret: str


class Keys:
    """The keys of a server, which are read again every second while they are needed."""

    def __init__(self, store: KeyStore, secret: Secret) -> None:
        self._store = store
        self._secret = secret
        self._known: Sequence[PublishableKey] = ()
        self._read_at = float("-inf")
        self._retry_at = 0.0
        self._is_watching = False
        self._lock = threading.Lock()

    def list_all(self) -> Sequence[PublishableKey]:
        """Return all keys, the oldest first. Raises `Unavailable`.

        A database that does not answer is asked once a second: the requests of all visitors would wait for it one after the other.
        """
        with self._lock:
            now = time.monotonic()
            if now - self._read_at < _FRESH_S:
                return self._known
            if now >= self._retry_at:
                try:
                    self._known = self._store.list_all()
                    self._read_at = now
                except Unavailable:
                    self._retry_at = time.monotonic() + _FRESH_S
            if now - self._read_at > _STALE_S:
                raise Unavailable(
                    "The keys cannot be read at the moment.", code="store_away", retry_after_s=3
                )
            return self._known

    def find(self, token: str) -> tuple[PublishableKey, KeyValue] | None:
        """Return the key that has a value, and the value, if it is valid. Raises `Unavailable`."""
        now = _now_ms()
        for key in self.list_all():
            value = key.value(token, now)
            if value is not None:
                return key, value
        return None

    def find_by_id(self, key_id: str) -> PublishableKey:
        """Return a key. Raises `NotFound` and `Unavailable`."""
        for key in self.list_all():
            if key.id == key_id:
                return key
        raise NotFound(f"There is no key {key_id[:40]!r}.", param="key", code="key_not_found")

    def admits_anywhere(self, origin: str) -> bool:
        """Return whether a site may use any key: what it may do then depends on which one it shows."""
        return any(key.admits(origin) for key in self.list_all())

    def create(self, owner: str, name: str, origins: Sequence[str], profile: KeyProfile) -> NewValue:
        """Create a key. `origins` are parsed. Raises `TooLarge` and `Unavailable`."""
        secret = _random(_SECRET_PREFIX, 43)
        key = PublishableKey(
            id=_random("", 12),
            name=name,
            origins=tuple(origins),
            profile=profile,
            values=(self._new_value(secret),),
            created_at=_now_ms(),
        )
        self._store.add(owner, key)
        self._forget()
        return NewValue(key=key, secret=secret)

    def change(self, key: PublishableKey) -> None:
        """Store a key's name, origins and profile. Raises `NotFound` and `Unavailable`."""
        self._store.change(key)
        self._forget()

    def rotate(self, key_id: str, keep_s: float = ROTATION_S) -> NewValue:
        """Add another value and secret to a key; those before are valid for `keep_s` seconds. Raises as `change`."""
        secret = _random(_SECRET_PREFIX, 43)
        self._store.add_value(key_id, self._new_value(secret), _now_ms() + round(keep_s * 1000))
        self._forget()
        return NewValue(key=self.find_by_id(key_id), secret=secret)

    def revoke(self, key_id: str) -> None:
        """Delete a key: whoever uses it is refused within two seconds. Raises as `change`."""
        self._store.delete(key_id)
        self._forget()

    def watch(self, active: Callable[[], set[str]], on_revoked: Callable[[set[str]], None]) -> None:
        """Start the thread that looks every second which keys were revoked; further calls do nothing.

        `active` returns the ids of those in use, and `on_revoked` gets those of them that are there no more.
        """
        with self._lock:
            if self._is_watching:
                return
            self._is_watching = True
        threading.Thread(
            target=self._watch, args=(active, on_revoked), name="freshet-keys", daemon=True
        ).start()

    def _watch(self, active: Callable[[], set[str]], on_revoked: Callable[[set[str]], None]) -> None:
        while True:
            time.sleep(_FRESH_S)
            try:
                revoked = (used := active()) and used - {key.id for key in self.list_all()}
                if revoked:
                    on_revoked(revoked)
            except Unavailable:
                pass  # the database is unreachable: nobody can have revoked a key
            except Exception:  # the thread must survive, or revoked keys keep their connections
                log_.exception("keys could not be checked")

    def open_secret(self, value: KeyValue) -> str | None:
        """Return the secret of a value; None if the server's secret was changed since. Raises `Unavailable`."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415  (a server without keys does not need it)

        try:
            return self._cipher().decrypt(value.sealed_secret.encode()).decode()
        except InvalidToken:
            return None

    def _new_value(self, secret: str) -> KeyValue:
        sealed = self._cipher().encrypt(secret.encode()).decode()
        return KeyValue(token=_random(PREFIX, 22), sealed_secret=sealed, created_at=_now_ms())

    def _cipher(self) -> Fernet:
        from cryptography.fernet import Fernet  # noqa: PLC0415

        digest = hashlib.sha256(b"freshet key secrets\0" + self._secret.get().encode()).digest()
        return Fernet(base64.urlsafe_b64encode(digest))

    def _forget(self) -> None:
        with self._lock:
            self._read_at = float("-inf")


def _random(prefix: str, count: int) -> str:
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(count))


def _now_ms() -> int:
    return round(time.time() * 1000)
