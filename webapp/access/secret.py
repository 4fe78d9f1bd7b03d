"""What signs the visitors' cookies where no setting says it: made once, and kept with the data."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def kept_secret(folder: str) -> str:
    """Read the secret in `folder`, or make one there that nobody else on the machine can read.

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
        found = path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    return found or secrets.token_urlsafe(32)
