"""The limits of the engine."""

from __future__ import annotations

import msgspec


class RunLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of the engine, in seconds and bytes. A server's are set in `settings/server.py`; the defaults are for tests."""

    max_streams: int = 1_000
    max_readers: int = 2_000
    run_max_bytes: int = 4 * 1024 * 1024
    log_max_bytes: int = 96 * 1024 * 1024
    total_s: float = 1_800.0
    expiry_s: float = 600.0
    heartbeat_s: float = 10.0
    lease_s: float = 8.0
