"""Settings of who may use the server: password, modes, origins, trusted proxies."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.settings import parsers
from webapp.settings.field import setting


@dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """Who may use the server."""

    secret_key: str | None = setting(
        "SECRET_KEY",
        None,
        parsers.text,
        "signs cookies; without it one is made and kept in the database of DATABASE_URL, else in FRESHET_DATA_DIR",
        secret=True,
    )
    access_password: str | None = setting(
        "FRESHET_ACCESS_PASSWORD",
        None,
        parsers.text,
        "the password that people sign in with, and programs send as a bearer token",
        secret=True,
    )
    public: bool = setting("FRESHET_PUBLIC", False, parsers.flag, "let anyone in without a password")
    local: bool = setting(
        "FRESHET_LOCAL",
        False,
        parsers.flag,
        "this computer's own programs and browsers are the one user, without a password; on loopback only",
    )
    allowed_origins: tuple[str, ...] = setting(
        "FRESHET_ALLOWED_ORIGINS",
        (),
        parsers.origins,
        "other sites that may use the endpoints, separated by commas",
    )
    trusted_proxies: tuple[str, ...] = setting(
        "FRESHET_TRUSTED_PROXIES",
        (),
        parsers.networks,
        "addresses or networks of the reverse proxies whose X-Forwarded-For and X-Forwarded-Proto count, "
        "separated by commas; `unix` is a Unix socket",
    )
    dyno: str | None = setting("DYNO", None, parsers.text, "set by Heroku: its router is a trusted proxy")
    render: str | None = setting("RENDER", None, parsers.text, "set by Render: its router is a trusted proxy")
    fly_app_name: str | None = setting(
        "FLY_APP_NAME", None, parsers.text, "set by Fly: its router is a trusted proxy"
    )
    image_urls: bool = setting(
        "FRESHET_IMAGE_URLS",
        False,
        parsers.flag,
        "pass the addresses of images in requests on to the provider, which then fetches them",
    )
