"""Sign-in sessions: verified against their rows, remembered for a while, ended from anywhere."""

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

_FRESH_S = 1.0  # a session that was verified so recently is not looked up again
_TRUSTED_S = 15 * 60.0  # while the database is away, one that was verified so recently stays valid
_WATCH_S = 1.0
_TOUCH_EVERY_S = 300.0
_MOST_REMEMBERED = 10_000
_MOST_DEVICE_CHARS = 60


class _Verified(msgspec.Struct):
    session: SignInSession
    at: float
    touched: float


class Sessions:
    """The sessions of one worker. `credential` returns what the password is known by, or raises `Unavailable`."""

    def __init__(self, rows: SessionStore, credential: Callable[[], str]) -> None:
        self._rows = rows
        self._credential = credential
        self._verified: OrderedDict[str, _Verified] = OrderedDict()
        self._lock = threading.Lock()
        self._watching = False

    def credential(self) -> str:
        """Return what the present password is known by. Raises `Unavailable`."""
        return self._credential()

    def begin(self, user: str, device: str, replaced: str | None) -> str:
        """Begin a session and return its token, 256 random bits; the session of the token `replaced` ends.

        Raises `Unavailable` while the database is away.
        """
        token = secrets.token_urlsafe(32)
        session = SignInSession(
            id=secrets.token_urlsafe(12),
            user=user,
            device=device[:_MOST_DEVICE_CHARS],
            credential=self._credential(),
        )
        self._rows.add(_digest(token), session, None if replaced is None else _digest(replaced))
        if replaced is not None:
            self._forget(_digest(replaced))
        return token

    def find(self, token: str) -> SignInSession:
        """Return the session of a token.

        Raises `NotSignedIn` for one that is unknown, ended, expired, or of another password; and `Unavailable` while
        the database is away, unless this worker verified the session within fifteen minutes.
        """
        digest, now = _digest(token), time.monotonic()
        with self._lock:
            known = self._verified.get(digest)
        if known is not None and now - known.at < _FRESH_S:
            return known.session
        try:
            session = self._rows.find(digest)
            credential = self._credential()
        except Unavailable:
            if known is not None and now - known.at < _TRUSTED_S:
                return known.session
            raise
        if session is None or not secrets.compare_digest(session.credential, credential):
            self._forget(digest)
            raise NotSignedIn("The session has ended: sign in again.")
        self._remember(digest, session, now, known)
        return session

    def listed(self, user: str) -> Sequence[SignInSession]:
        """List a user's sessions that are good for the present password, the last used first."""
        credential = self._credential()
        return [one for one in self._rows.listed(user) if one.credential == credential]

    def end(self, user: str, session: str) -> bool:
        """End one session of a user; returns whether there was one."""
        ended = self._rows.end(user, [session])
        self._forget_ids(ended)
        return bool(ended)

    def end_others(self, user: str, kept: str | None) -> list[str]:
        """End all sessions of a user but `kept`; returns those that ended."""
        ended = self._rows.end(user, None, kept)
        self._forget_ids(ended)
        return list(ended)

    def watch(self, followed: Callable[[], set[str]], ended: Callable[[set[str]], None]) -> None:
        """Look every second, from now on, which of the sessions that are `followed` have ended elsewhere.

        One thread a worker, which begins with the first call.
        """
        with self._lock:
            if self._watching:
                return
            self._watching = True
        threading.Thread(
            target=self._watch, args=(followed, ended), name="freshet-sessions", daemon=True
        ).start()

    def _watch(self, followed: Callable[[], set[str]], ended: Callable[[set[str]], None]) -> None:
        while True:
            time.sleep(_WATCH_S)
            try:
                self.look(followed(), ended)
            except Unavailable:
                pass  # the database is away: what was verified stays valid
            except Exception:  # the top of a thread that ends others' sessions
                log_.exception("sessions could not be looked up")

    def look(self, followed: set[str], ended: Callable[[set[str]], None]) -> None:
        """Report which of some sessions have ended, and note when the remembered ones were last used."""
        used = self._used(time.monotonic())
        if used:
            self._rows.touch(used)
        if followed:
            gone = followed - set(self._rows.alive(sorted(followed)))
            if gone:
                self._forget_ids(gone)
                ended(gone)

    def _used(self, now: float) -> list[str]:
        with self._lock:
            due = [one for one in self._verified.values() if one.at - one.touched >= _TOUCH_EVERY_S]
            for one in due:
                one.touched = now
        return [one.session.id for one in due]

    def _remember(self, digest: str, session: SignInSession, now: float, known: _Verified | None) -> None:
        with self._lock:
            touched = now - _TOUCH_EVERY_S if known is None else known.touched
            self._verified[digest] = _Verified(session, now, touched)
            self._verified.move_to_end(digest)
            while len(self._verified) > _MOST_REMEMBERED:
                self._verified.popitem(last=False)

    def _forget(self, digest: str) -> None:
        with self._lock:
            self._verified.pop(digest, None)

    def _forget_ids(self, ids: set[str] | Sequence[str]) -> None:
        with self._lock:
            for digest in [key for key, one in self._verified.items() if one.session.id in ids]:
                del self._verified[digest]


def _digest(token: str) -> str:
    """Return what a token is stored as; it has 256 random bits, so a plain digest gives nothing away."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def device_of(user_agent: str) -> str:
    """Name a device by its browser's own words, for a list that its owner reads: "Firefox, Windows"."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return ", ".join(filter(None, (browser, system)))


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
