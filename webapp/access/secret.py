"""The secret that signs cookies and links: a setting, or made once and kept."""

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

_PATIENCE_S = 2.5  # for whoever reads it first
_RETRY_S = 3.0


class Secret:
    """The server's secret: the setting; else the database's, where servers share one; else a file's in `folder`."""

    def __init__(self, given: str | None, folder: str, shared: SecretStore | None = None) -> None:
        self._found = given
        self._folder = folder
        self._shared = shared
        self._lock = threading.Lock()
        self._retry_at = 0.0

    def get(self) -> str:
        """Return the secret. Raises `Unavailable`, mostly at once, while the database that keeps it is away."""
        if self._found is None:
            if time.monotonic() < self._retry_at or not self._lock.acquire(timeout=_PATIENCE_S):
                raise _away()
            try:
                if self._found is None:
                    self._found = self._kept()
            except Unavailable:
                self._retry_at = time.monotonic() + _RETRY_S
                raise
            finally:
                self._lock.release()
        return self._found

    def digest(self, purpose: str, text: str) -> str:
        """Return a keyed digest of a text, 32 hexadecimal digits: of use to nobody without the secret."""
        said = f"{purpose}\0{text}".encode()
        return hmac.new(self.get().encode(), said, hashlib.sha256).hexdigest()[:32]

    def _kept(self) -> str:
        if self._shared is None:
            return kept_secret(self._folder)
        # What an earlier version kept in the folder goes on signing, so that its cookies and links stay good.
        return self._shared.secret(_read(Path(self._folder) / "secret") or secrets.token_urlsafe(32))


def kept_secret(folder: str) -> str:
    """Return the secret in `folder`, or make one there that nobody else on the machine can read.

    Without it a restart would make everybody a stranger to their own conversations. Where no file can be
    written it ends with the process.
    """
    path = Path(folder) / "secret"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"secret.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        try:
            draft.write_text(secrets.token_urlsafe(32))
            os.link(draft, path)  # whole, and only for whoever comes first
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


def _away() -> Unavailable:
    return Unavailable(
        "The database that keeps the server's secret cannot be reached at the moment.",
        code="store_away",
        retry_after_s=int(_RETRY_S),
    )
