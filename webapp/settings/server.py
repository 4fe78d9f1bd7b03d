"""Settings of the server itself: where it listens and stores, frames, sizes, deadlines, starters."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.settings import parsers
from webapp.settings.field import GIB, KIB, MIB, setting


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Where the server listens and stores, how it frames answers, and its sizes and deadlines."""

    # What the page says.
    starters: tuple[str, ...] = setting(
        "FRESHET_STARTERS",
        (),
        parsers.starters,
        "up to six questions that an empty page offers, separated by vertical bars; else three of its own",
        between=" | ",
    )

    # Where conversations are kept.
    database_url: str | None = setting(
        "DATABASE_URL",
        None,
        parsers.database,
        "the Postgres that keeps conversations, migrated by `freshet migrate`; else a SQLite file does",
    )
    data_dir: str = setting(
        "FRESHET_DATA_DIR", "data", parsers.text, "the folder of files that outlive the process"
    )

    # Where it runs.
    host: str | None = setting(
        "FRESHET_HOST", None, parsers.text, "the address to bind; 0.0.0.0 where PORT is set, else 127.0.0.1"
    )
    port: int | None = setting("PORT", None, parsers.whole(0, 65_535), "the port to bind; 8000 when unset")
    web_concurrency: int = setting(
        "WEB_CONCURRENCY",
        1,
        parsers.whole(1, 64),
        "worker processes; one until answers can be shared between them",
    )
    ssl_cert_file: str | None = setting(
        "SSL_CERT_FILE", None, parsers.certificates, "certificates to trust besides the usual ones"
    )
    requests_ca_bundle: str | None = setting(
        "REQUESTS_CA_BUNDLE", None, parsers.certificates, "the same, by its other usual name"
    )

    # Pace and limits.
    frame_ms: float = setting(
        "FRESHET_FRAME_MS", 33.0, parsers.number(1, 1_000), "the window of a frame, in milliseconds"
    )
    frame_deltas: int = setting(
        "FRESHET_FRAME_DELTAS", 0, parsers.whole(0, 10_000), "close a frame at so many deltas; 0 is off"
    )
    frame_newline: bool = setting(
        "FRESHET_FRAME_NEWLINE", False, parsers.flag, "close a frame at a line's end"
    )
    max_streams: int = setting(
        "FRESHET_MAX_STREAMS",
        1_000,
        parsers.whole(1, 8_000),
        "answers at a time, and half of the readers at a time",
    )
    max_body_bytes: int = setting(
        "FRESHET_MAX_BODY_BYTES", 16 * MIB, parsers.whole(KIB, 256 * MIB), "the largest request"
    )
    import_max_bytes: int = setting(
        "FRESHET_IMPORT_MAX_BYTES", 64 * MIB, parsers.whole(KIB, 256 * MIB), "the largest import"
    )
    owner_max_bytes: int = setting(
        "FRESHET_OWNER_MAX_BYTES",
        200 * MIB,
        parsers.whole(KIB, 1024 * GIB),
        "what one owner may store, text and images",
    )
    run_max_bytes: int = setting(
        "FRESHET_RUN_MAX_BYTES", 4 * MIB, parsers.whole(KIB, 64 * MIB), "the largest answer"
    )
    log_max_bytes: int = setting(
        "FRESHET_LOG_MAX_BYTES",
        96 * MIB,
        parsers.whole(KIB, 4 * GIB),
        "all answers and requests in memory together",
    )
    max_line_bytes: int = setting(
        "FRESHET_MAX_LINE_BYTES", 8 * MIB, parsers.whole(KIB, 64 * MIB), "the longest line of a provider"
    )
    orphan_s: float = setting(
        "FRESHET_ORPHAN_S",
        900.0,
        parsers.number(0, 86_400),
        "an answer that nobody reads is stopped after so many seconds",
    )
    expiry_s: float = setting(
        "FRESHET_EXPIRY_S", 600.0, parsers.number(1, 86_400), "how long an ended answer can be fetched"
    )
    heartbeat_s: float = setting(
        "FRESHET_HEARTBEAT_S", 10.0, parsers.number(0.05, 60), "the longest silence towards a reader"
    )
    write_s: float = setting(
        "FRESHET_WRITE_S",
        30.0,
        parsers.number(0.1, 300),
        "a reader that takes not one byte for so long is dropped",
    )
    auth_s: float = setting(
        "FRESHET_AUTH_S", 10.0, parsers.number(0.1, 60), "how long a WebSocket may take to authenticate"
    )
