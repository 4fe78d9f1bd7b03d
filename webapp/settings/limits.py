"""Settings of the limits for each kind of caller (visitor, user, key), and for addresses."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.settings import parsers
from webapp.settings.field import GIB, KIB, MIB, setting


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """The limits of callers: the same seven for each kind, and two for an address."""

    visitor_answers: int = setting(
        "FRESHET_VISITOR_ANSWERS", 2, parsers.integer(1, 8_000), "concurrent answers of a visitor"
    )
    visitor_starts: int = setting(
        "FRESHET_VISITOR_STARTS",
        10,
        parsers.integer(1, 100_000),
        "answers that a visitor may start per minute, over all workers",
    )
    visitor_max_tokens: int | None = setting(
        "FRESHET_VISITOR_MAX_TOKENS",
        None,
        parsers.integer(1, 1_000_000),
        "the maximum answer for a visitor, in tokens, reasoning included; by default 4,096 for the text and up to 8,192 on top for "
        "the reasoning; FRESHET_MAX_TOKENS applies too",
    )
    visitor_question_bytes: int = setting(
        "FRESHET_VISITOR_QUESTION_BYTES",
        256 * KIB,
        parsers.integer(KIB, 256 * MIB),
        "the maximum size of a visitor's question with its history, in bytes, without images",
    )
    visitor_stored_bytes: int | None = setting(
        "FRESHET_VISITOR_STORED_BYTES",
        20 * MIB,
        parsers.integer(KIB, 1024 * GIB),
        "bytes that a visitor may store, text and images",
    )
    visitor_models: str = setting(
        "FRESHET_VISITOR_MODELS",
        "priced",
        parsers.model_choice,
        "the models that a visitor may use: `priced` (those with a known price, and the configured ones) or `all`",
    )
    visitor_orphan_s: float | None = setting(
        "FRESHET_VISITOR_ORPHAN_S",
        60.0,
        parsers.number(0, 86_400),
        "seconds without a reader after which a visitor's answer is stopped",
    )
    user_answers: int = setting(
        "FRESHET_USER_ANSWERS", 8, parsers.integer(1, 8_000), "concurrent answers of a user"
    )
    user_starts: int = setting(
        "FRESHET_USER_STARTS",
        60,
        parsers.integer(1, 100_000),
        "answers that a user may start per minute, over all workers",
    )
    user_max_tokens: int | None = setting(
        "FRESHET_USER_MAX_TOKENS",
        None,
        parsers.integer(1, 1_000_000),
        "the maximum answer for a user, in tokens, reasoning included; by default as FRESHET_MAX_TOKENS says",
    )
    user_question_bytes: int = setting(
        "FRESHET_USER_QUESTION_BYTES",
        4 * MIB,
        parsers.integer(KIB, 256 * MIB),
        "the maximum size of a user's question with its history, in bytes, without images",
    )
    user_stored_bytes: int | None = setting(
        "FRESHET_USER_STORED_BYTES",
        None,
        parsers.integer(KIB, 1024 * GIB),
        "bytes that a user may store; by default FRESHET_OWNER_MAX_BYTES",
    )
    user_models: str = setting(
        "FRESHET_USER_MODELS",
        "all",
        parsers.model_choice,
        "the models that a user may use: `priced` or `all`",
    )
    user_orphan_s: float | None = setting(
        "FRESHET_USER_ORPHAN_S",
        None,
        parsers.number(0, 86_400),
        "seconds without a reader after which a user's answer is stopped; by default FRESHET_ORPHAN_S",
    )
    key_answers: int = setting(
        "FRESHET_KEY_ANSWERS", 16, parsers.integer(1, 8_000), "concurrent answers of a key"
    )
    key_starts: int = setting(
        "FRESHET_KEY_STARTS",
        120,
        parsers.integer(1, 100_000),
        "answers that a key may start per minute, over all workers",
    )
    key_max_tokens: int | None = setting(
        "FRESHET_KEY_MAX_TOKENS",
        None,
        parsers.integer(1, 1_000_000),
        "the maximum answer for a key, in tokens, reasoning included; by default as FRESHET_MAX_TOKENS says",
    )
    key_question_bytes: int = setting(
        "FRESHET_KEY_QUESTION_BYTES",
        4 * MIB,
        parsers.integer(KIB, 256 * MIB),
        "the maximum size of a key's question with its history, in bytes, without images",
    )
    key_stored_bytes: int | None = setting(
        "FRESHET_KEY_STORED_BYTES",
        None,
        parsers.integer(KIB, 1024 * GIB),
        "bytes that a key's owner may store; by default FRESHET_OWNER_MAX_BYTES",
    )
    key_models: str = setting(
        "FRESHET_KEY_MODELS", "all", parsers.model_choice, "the models that a key may use: `priced` or `all`"
    )
    key_orphan_s: float | None = setting(
        "FRESHET_KEY_ORPHAN_S",
        60.0,
        parsers.number(0, 86_400),
        "seconds without a reader after which a key's answer is stopped",
    )
    address_share: int = setting(
        "FRESHET_ADDRESS_SHARE",
        5,
        parsers.integer(1, 1_000),
        "the limits of one address (IPv6: one /64) as a multiple of one visitor's limits",
    )
    address_visitors: int = setting(
        "FRESHET_ADDRESS_VISITORS",
        20,
        parsers.integer(1, 100_000),
        "new visitors per hour from one address, over all workers",
    )
