"""Settings of the server: addresses, storage, framing, sizes, timeouts, starter questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from webapp.settings import parsers
from webapp.settings.field import GIB, KIB, MIB, setting


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """The server's addresses, storage, framing, sizes and timeouts."""

    starters: tuple[str, ...] = setting(
        "FRESHET_STARTERS",
        (),
        parsers.starters,
        "up to six questions that an empty conversation suggests, separated by vertical bars; by default three built-in ones",
        separator=" | ",
    )

    database_url: str | None = setting(
        "DATABASE_URL",
        None,
        parsers.database_url,
        "the Postgres database for conversations, migrated by `freshet migrate`; by default a SQLite file in FRESHET_DATA_DIR",
    )
    redis_url: str | None = setting(
        "REDIS_URL",
        None,
        parsers.redis_url,
        "the Redis through which workers share answers in progress, instead of the database; with rediss:// its certificate "
        "is verified, except on Heroku, where it is self-signed, and with ?ssl_cert_reqs=none",
    )
    data_dir: str = setting(
        "FRESHET_DATA_DIR", "data", parsers.text, "the folder for files that must survive a restart"
    )

    journal: Literal["memory"] | None = setting(
        "FRESHET_JOURNAL",
        None,
        parsers.one_of("memory"),
        "where answers in progress are kept for other workers; by default in the Redis of REDIS_URL, the database, or a SQLite "
        "file in FRESHET_DATA_DIR; `memory`, for tests and measurements, keeps them in the worker alone",
    )
    lease_s: float = setting(
        "FRESHET_LEASE_S",
        8.0,
        parsers.number(0.5, 60),
        "seconds after which the answers of a worker that is gone may be taken over by another",
    )
    takeover: bool = setting(
        "FRESHET_TAKEOVER",
        True,
        parsers.boolean,
        "on: an answer whose worker has died goes on in another one, where its provider can continue it; off: it ends with its text",
    )

    host: str | None = setting(
        "FRESHET_HOST",
        None,
        parsers.text,
        "the address to bind; by default 0.0.0.0 when PORT is set, else 127.0.0.1",
    )
    port: int | None = setting("PORT", None, parsers.integer(0, 65_535), "the port to bind; by default 8000")
    web_concurrency: int = setting(
        "WEB_CONCURRENCY",
        1,
        parsers.integer(1, 64),
        "worker processes; starts, imports, new visitors, wrong passwords and a caller's answers at once are counted over all workers, also "
        "those of other servers with the same store. Each worker has its own memory and connections, so the limits of streams and memory, and "
        "an address's part of them, are each worker's",
    )
    log_format: Literal["text", "json"] = setting(
        "FRESHET_LOG_FORMAT",
        "text",
        parsers.one_of("text", "json"),
        "the form of log lines, those about requests too: text or json",
    )
    ssl_cert_file: str | None = setting(
        "SSL_CERT_FILE",
        None,
        parsers.certificates,
        "a PEM file of CA certificates to trust besides the system's",
    )
    requests_ca_bundle: str | None = setting(
        "REQUESTS_CA_BUNDLE", None, parsers.certificates, "the same as SSL_CERT_FILE; both are trusted"
    )

    frame_ms: float = setting(
        "FRESHET_FRAME_MS",
        33.0,
        parsers.number(1, 1_000),
        "the time in which deltas are collected into one frame, in milliseconds",
    )
    frame_deltas: int = setting(
        "FRESHET_FRAME_DELTAS",
        0,
        parsers.integer(0, 10_000),
        "the maximum number of deltas in a frame; 0 is unlimited",
    )
    frame_newline: bool = setting(
        "FRESHET_FRAME_NEWLINE", False, parsers.boolean, "end a frame at each line break"
    )
    max_streams: int = setting(
        "FRESHET_MAX_STREAMS",
        1_000,
        parsers.integer(1, 8_000),
        "concurrent answers; twice as many readers are allowed",
    )
    max_body_bytes: int = setting(
        "FRESHET_MAX_BODY_BYTES",
        16 * MIB,
        parsers.integer(KIB, 256 * MIB),
        "the maximum request body in bytes",
    )
    import_max_bytes: int = setting(
        "FRESHET_IMPORT_MAX_BYTES", 64 * MIB, parsers.integer(KIB, 256 * MIB), "the maximum import in bytes"
    )
    owner_max_bytes: int = setting(
        "FRESHET_OWNER_MAX_BYTES",
        200 * MIB,
        parsers.integer(KIB, 1024 * GIB),
        "bytes that one owner may store, text and images",
    )
    run_max_bytes: int = setting(
        "FRESHET_RUN_MAX_BYTES", 4 * MIB, parsers.integer(KIB, 64 * MIB), "the maximum answer in bytes"
    )
    log_max_bytes: int = setting(
        "FRESHET_LOG_MAX_BYTES",
        96 * MIB,
        parsers.integer(KIB, 4 * GIB),
        "the maximum of all answers and requests in a worker's memory, in bytes; the requests of one address may take three quarters of it",
    )
    max_line_bytes: int = setting(
        "FRESHET_MAX_LINE_BYTES",
        8 * MIB,
        parsers.integer(KIB, 64 * MIB),
        "the longest line of a provider's response, in bytes",
    )
    orphan_s: float = setting(
        "FRESHET_ORPHAN_S",
        900.0,
        parsers.number(0, 86_400),
        "seconds without a reader after which an answer is stopped",
    )
    expiry_s: float = setting(
        "FRESHET_EXPIRY_S",
        600.0,
        parsers.number(1, 86_400),
        "seconds for which a finished answer stays in memory and can be fetched again",
    )
    heartbeat_s: float = setting(
        "FRESHET_HEARTBEAT_S",
        10.0,
        parsers.number(0.05, 60),
        "seconds of silence after which a heartbeat is sent to a reader",
    )
    write_s: float = setting(
        "FRESHET_WRITE_S",
        30.0,
        parsers.number(0.1, 300),
        "seconds after which a reader that accepts no bytes is disconnected",
    )
    auth_s: float = setting(
        "FRESHET_AUTH_S", 10.0, parsers.number(0.1, 60), "seconds that a WebSocket client has to authenticate"
    )
