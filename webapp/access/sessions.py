"""Sign-in sessions: creating, verifying, caching and ending them."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import msgspec

from webapp.errors import NotSignedIn, Unavailable
from webapp.seams import SessionStore, SignInSession

log_ = logging.getLogger("freshet.access")

_FRESH_S = 1.0  # a session verified so recently is not looked up again
_STALE_S = 15 * 60.0  # while the database is unreachable, a session verified so recently stays valid
_WATCH_S = 1.0
_TOUCH_EVERY_S = 300.0
_MAX_CACHED = 10_000
_MAX_DEVICE_CHARS = 60


class _CachedSession(msgspec.Struct):
    session: SignInSession
    verified_at: float
    touched_at: float


class Sessions:
    """The sessions as one worker sees them, with a cache of the verified ones.

    `credential` returns a digest of the current password, or raises `Unavailable`.
    """

    def __init__(self, store: SessionStore, credential: Callable[[], str]) -> None:
        self._store = store
        self._credential = credential
        self._cache: OrderedDict[str, _CachedSession] = OrderedDict()
        self._lock = threading.Lock()
        self._is_watching = False

    def credential(self) -> str:
        """Return a digest of the current password. Raises `Unavailable`."""
        return self._credential()

    def create(self, user: str, device: str, replaced: str | None) -> str:
        """Create a session and return its token, 256 random bits. The session of the token `replaced` ends.

        Raises `Unavailable` while the database is unreachable.
        """
        token = secrets.token_urlsafe(32)
        session = SignInSession(
            id=secrets.token_urlsafe(12),
            user=user,
            device=device[:_MAX_DEVICE_CHARS],
            credential=self._credential(),
        )
        self._store.add(_digest(token), session, None if replaced is None else _digest(replaced))
        if replaced is not None:
            self._forget(_digest(replaced))
        return token

    def find(self, token: str) -> SignInSession:
        """Return the session of a token.

        Raises `NotSignedIn` for a token that is unknown, ended, expired or older than the current password; and
        `Unavailable` while the database is unreachable, unless this worker verified the session within 15 minutes.
        """
        digest, now = _digest(token), time.monotonic()
        with self._lock:
            cached = self._cache.get(digest)
        if cached is not None and now - cached.verified_at < _FRESH_S:
            return cached.session
        try:
            session = self._store.find(digest)
            credential = self._credential()
        except Unavailable:
            if cached is not None and now - cached.verified_at < _STALE_S:
                return cached.session
            raise
        if session is None or not secrets.compare_digest(session.credential, credential):
            self._forget(digest)
            raise NotSignedIn("The session has ended: sign in again.")
        self._remember(digest, session, now, cached)
        return session

    def list_for(self, user: str) -> Sequence[SignInSession]:
        """Return a user's sessions that are valid for the current password, the most recently used first."""
        credential = self._credential()
        return [session for session in self._store.list_for(user) if session.credential == credential]

    def end(self, user: str, session: str) -> bool:
        """End one session of a user by its id; return whether it existed."""
        ended = self._store.end(user, [session])
        self._forget_ids(ended)
        return bool(ended)

    def end_others(self, user: str, kept: str | None) -> list[str]:
        """End all sessions of a user except `kept`; return the ids of the ended ones."""
        ended = self._store.end(user, None, kept)
        self._forget_ids(ended)
        return list(ended)

    def watch(self, active: Callable[[], set[str]], on_ended: Callable[[set[str]], None]) -> None:
        """Start the thread that checks every second which sessions have ended; further calls do nothing.

        `active` returns the ids to check: the sessions with open connections. `on_ended` gets those that have ended.
        """
        with self._lock:
            if self._is_watching:
                return
            self._is_watching = True
        threading.Thread(
            target=self._watch, args=(active, on_ended), name="freshet-sessions", daemon=True
        ).start()

    def _watch(self, active: Callable[[], set[str]], on_ended: Callable[[set[str]], None]) -> None:
        while True:
            time.sleep(_WATCH_S)
            try:
                self.check(active(), on_ended)
            except Unavailable:
                pass  # the database is unreachable: cached sessions stay valid
            except (
                Exception
            ):  # the thread must survive, or sessions that end elsewhere keep their connections
                log_.exception("sessions could not be checked")

    def check(self, active: set[str], on_ended: Callable[[set[str]], None]) -> None:
        """Call `on_ended` with those of the `active` ids that have ended, and store when cached sessions were used."""
        used = self._used(time.monotonic())
        if used:
            self._store.touch(used)
        if active:
            ended = active - set(self._store.filter_active(sorted(active)))
            if ended:
                self._forget_ids(ended)
                on_ended(ended)

    def _used(self, now: float) -> list[str]:
        """Return the ids of the sessions whose last use is to be stored, and mark them as stored."""
        with self._lock:
            due = [
                cached
                for cached in self._cache.values()
                if cached.verified_at - cached.touched_at >= _TOUCH_EVERY_S
            ]
            for cached in due:
                cached.touched_at = now
        return [cached.session.id for cached in due]

    def _remember(
        self, digest: str, session: SignInSession, now: float, previous: _CachedSession | None
    ) -> None:
        with self._lock:
            touched_at = now - _TOUCH_EVERY_S if previous is None else previous.touched_at
            self._cache[digest] = _CachedSession(session, now, touched_at)
            self._cache.move_to_end(digest)
            while len(self._cache) > _MAX_CACHED:
                self._cache.popitem(last=False)

    def _forget(self, digest: str) -> None:
        with self._lock:
            self._cache.pop(digest, None)

    def _forget_ids(self, ids: set[str] | Sequence[str]) -> None:
        with self._lock:
            for digest in [key for key, cached in self._cache.items() if cached.session.id in ids]:
                del self._cache[digest]


def _digest(token: str) -> str:
    """Return the digest that a token is stored under. With 256 random bits, a token needs no salt and no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def describe_device(user_agent: str) -> str:
    """Return the browser and system for the user's list of sessions: "Firefox, Windows"; "" when unknown."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return ", ".join(filter(None, (browser, system)))


# The first match wins: most browsers also claim to be the ones below them.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python-requests", "Python"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
