"""The secret that signs cookies and share links: a setting, or generated once and stored."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
import time
from pathlib import Path

from webapp.errors import Unavailable
from webapp.seams import SecretStore

_LOCK_TIMEOUT_S = 2.5  # while another thread reads the database
_RETRY_S = 3.0


class Secret:
    """The server's secret: the setting, else the one in the shared database, else the one in a file in `folder`."""

    def __init__(self, setting: str | None, folder: str, shared: SecretStore | None = None) -> None:
        self._value = setting
        self._folder = folder
        self._shared = shared
        self._lock = threading.Lock()
        self._retry_at = 0.0

    def get(self) -> str:
        """Return the secret, loading it at the first call.

        Raises `Unavailable` when the database is unreachable; for the next three seconds, without asking it again.
        """
        if self._value is None:
            if time.monotonic() < self._retry_at or not self._lock.acquire(timeout=_LOCK_TIMEOUT_S):
                raise _unreachable()
            try:
                if self._value is None:
                    self._value = self._load()
            except Unavailable:
                self._retry_at = time.monotonic() + _RETRY_S
                raise
            finally:
                self._lock.release()
        return self._value

    def digest(self, purpose: str, text: str) -> str:
        """Return the HMAC of a text for one purpose, 32 hexadecimal digits."""
        message = f"{purpose}\0{text}".encode()
        return hmac.new(self.get().encode(), message, hashlib.sha256).hexdigest()[:32]

    def _load(self) -> str:
        if self._shared is None:
            return load_secret_file(self._folder)
        # An earlier version stored the secret in the folder: move it, so that its cookies and links stay valid.
        return self._shared.get_or_create(_read(Path(self._folder) / "secret") or secrets.token_urlsafe(32))


def load_secret_file(folder: str) -> str:
    """Return the secret in `folder`; create it, readable by this user only, if there is none.

    If no file can be written, the secret lasts as long as the process: a restart then invalidates all cookies.
    """
    path = Path(folder) / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        try:
            draft.write_text(secrets.token_urlsafe(32))
            os.link(draft, path)  # atomic: the file appears complete, and only the first process creates it
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError:
        pass
    return _read(path) or secrets.token_urlsafe(32)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _unreachable() -> Unavailable:
    return Unavailable(
        "The database with the server's secret cannot be reached at the moment.",
        code="store_away",
        retry_after_s=int(_RETRY_S),
    )
