"""Settings of what each kind of caller may use: visitors, users, keys, addresses."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.settings import parsers
from webapp.settings.field import GIB, KIB, MIB, setting


@dataclass(frozen=True, kw_only=True)
class LimitSettings:
    """What each kind of caller may use; the same seven limits for each kind."""

    visitor_answers: int = setting(
        "FRESHET_VISITOR_ANSWERS", 2, parsers.whole(1, 8_000), "answers at once, for a visitor"
    )
    visitor_starts: int = setting(
        "FRESHET_VISITOR_STARTS",
        10,
        parsers.whole(1, 100_000),
        "answers started in a minute, for a visitor",
    )
    visitor_max_tokens: int | None = setting(
        "FRESHET_VISITOR_MAX_TOKENS",
        4096,
        parsers.whole(1, 1_000_000),
        "the longest answer for a visitor, in tokens; FRESHET_MAX_TOKENS holds too",
    )
    visitor_question_bytes: int = setting(
        "FRESHET_VISITOR_QUESTION_BYTES",
        256 * KIB,
        parsers.whole(KIB, 256 * MIB),
        "the largest question with its history, images apart, for a visitor",
    )
    visitor_stored_bytes: int | None = setting(
        "FRESHET_VISITOR_STORED_BYTES",
        20 * MIB,
        parsers.whole(KIB, 1024 * GIB),
        "what a visitor may store, text and images",
    )
    visitor_models: str = setting(
        "FRESHET_VISITOR_MODELS",
        "priced",
        parsers.models,
        "the models that a visitor may use: `priced` (those with a known price) or `all`",
    )
    visitor_orphan_s: float | None = setting(
        "FRESHET_VISITOR_ORPHAN_S",
        60.0,
        parsers.number(0, 86_400),
        "a visitor's answer that nobody reads is stopped after so many seconds",
    )
    user_answers: int = setting(
        "FRESHET_USER_ANSWERS", 8, parsers.whole(1, 8_000), "answers at once, for a user"
    )
    user_starts: int = setting(
        "FRESHET_USER_STARTS", 60, parsers.whole(1, 100_000), "answers started in a minute, for a user"
    )
    user_max_tokens: int | None = setting(
        "FRESHET_USER_MAX_TOKENS",
        None,
        parsers.whole(1, 1_000_000),
        "the longest answer for a user; else FRESHET_MAX_TOKENS",
    )
    user_question_bytes: int = setting(
        "FRESHET_USER_QUESTION_BYTES",
        4 * MIB,
        parsers.whole(KIB, 256 * MIB),
        "the largest question with its history, images apart, for a user",
    )
    user_stored_bytes: int | None = setting(
        "FRESHET_USER_STORED_BYTES",
        None,
        parsers.whole(KIB, 1024 * GIB),
        "what a user may store; else FRESHET_OWNER_MAX_BYTES",
    )
    user_models: str = setting(
        "FRESHET_USER_MODELS", "all", parsers.models, "the models that a user may use: `priced` or `all`"
    )
    user_orphan_s: float | None = setting(
        "FRESHET_USER_ORPHAN_S",
        None,
        parsers.number(0, 86_400),
        "a user's answer that nobody reads is stopped after so many seconds; else FRESHET_ORPHAN_S",
    )
    key_answers: int = setting(
        "FRESHET_KEY_ANSWERS", 16, parsers.whole(1, 8_000), "answers at once, for a key"
    )
    key_starts: int = setting(
        "FRESHET_KEY_STARTS", 120, parsers.whole(1, 100_000), "answers started in a minute, for a key"
    )
    key_max_tokens: int | None = setting(
        "FRESHET_KEY_MAX_TOKENS",
        None,
        parsers.whole(1, 1_000_000),
        "the longest answer for a key; else FRESHET_MAX_TOKENS",
    )
    key_question_bytes: int = setting(
        "FRESHET_KEY_QUESTION_BYTES",
        4 * MIB,
        parsers.whole(KIB, 256 * MIB),
        "the largest question with its history, images apart, for a key",
    )
    key_stored_bytes: int | None = setting(
        "FRESHET_KEY_STORED_BYTES",
        None,
        parsers.whole(KIB, 1024 * GIB),
        "what a key's owner may store; else FRESHET_OWNER_MAX_BYTES",
    )
    key_models: str = setting(
        "FRESHET_KEY_MODELS", "all", parsers.models, "the models that a key may use: `priced` or `all`"
    )
    key_orphan_s: float | None = setting(
        "FRESHET_KEY_ORPHAN_S",
        60.0,
        parsers.number(0, 86_400),
        "a key's answer that nobody reads is stopped after so many seconds",
    )
    address_share: int = setting(
        "FRESHET_ADDRESS_SHARE",
        5,
        parsers.whole(1, 1_000),
        "how many visitors' shares all visitors of one address (IPv6: one /64) have together",
    )
    address_visitors: int = setting(
        "FRESHET_ADDRESS_VISITORS",
        20,
        parsers.whole(1, 100_000),
        "new visitors in an hour from one address",
    )
