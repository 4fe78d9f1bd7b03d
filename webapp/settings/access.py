"""Settings of access: password, modes, origins, trusted proxies."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.settings import parsers
from webapp.settings.field import setting


@dataclass(frozen=True, kw_only=True)
class AccessSettings:
    """Who may use the server, and how callers are recognized."""

    secret_key: str | None = setting(
        "SECRET_KEY",
        None,
        parsers.text,
        "signs cookies; by default generated once and stored in the database of DATABASE_URL, else in FRESHET_DATA_DIR",
        secret=True,
    )
    access_password: str | None = setting(
        "FRESHET_ACCESS_PASSWORD",
        None,
        parsers.text,
        "the password for signing in; programs send it as a bearer token",
        secret=True,
    )
    operator_key: str | None = setting(
        "FRESHET_OPERATOR_KEY",
        None,
        parsers.text,
        "a bearer token that may read /metrics and use /doctor, and nothing else; the user of the password and of local mode may too",
        secret=True,
    )
    public: bool = setting("FRESHET_PUBLIC", False, parsers.boolean, "admit everybody without a password")
    local: bool = setting(
        "FRESHET_LOCAL",
        False,
        parsers.boolean,
        "admit browsers and programs of this computer as one user, without a password; needs a loopback address",
    )
    allowed_origins: tuple[str, ...] = setting(
        "FRESHET_ALLOWED_ORIGINS",
        (),
        parsers.origins,
        "other sites whose pages may use the API, separated by commas; `*` is any site",
    )
    trusted_proxies: tuple[str, ...] = setting(
        "FRESHET_TRUSTED_PROXIES",
        (),
        parsers.networks,
        "addresses or networks of the reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted, "
        "separated by commas; `unix` is a Unix socket",
    )
    dyno: str | None = setting("DYNO", None, parsers.text, "set by Heroku: trust its router")
    render: str | None = setting("RENDER", None, parsers.text, "set by Render: trust its router")
    fly_app_name: str | None = setting("FLY_APP_NAME", None, parsers.text, "set by Fly: trust its router")
    image_urls: bool = setting(
        "FRESHET_IMAGE_URLS",
        False,
        parsers.boolean,
        "accept http(s) URLs of images in requests; the provider fetches them",
    )
