"""What is in force, read once from an environment by the roof. Nothing else reads the environment.

Each field carries its variable, its default, what it does and whether it is secret; `freshet config` and
the README's table come from these.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from webapp import variables
from webapp.errors import ConfigurationError
from webapp.variables import PROVIDERS as PROVIDERS

UNLOCKS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "ollama": "OLLAMA_HOST"}
LOOPBACK = ("127.0.0.1", "::1", "localhost")
_KIB = 1024
_MIB = 1024 * _KIB
_GIB = 1024 * _MIB


def _at(
    name: str,
    default: Any,
    parse: Callable[[str], Any],
    about: str,
    *,
    secret: bool = False,
    between: str = ",",
) -> Any:
    meta = {"name": name, "parse": parse, "about": about, "secret": secret, "between": between}
    return dataclasses.field(default=default, metadata=meta)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, checked. Build it with `Settings.read(os.environ)`."""

    # Who answers.
    provider: str | None = _at(
        "FRESHET_PROVIDER",
        None,
        variables.provider,
        "the default provider; else the first that is configured",
    )
    model: str | None = _at(
        "FRESHET_MODEL",
        None,
        variables.text,
        "the default provider's model; else the one that `models.toml` marks",
    )
    max_tokens: int = _at(
        "FRESHET_MAX_TOKENS",
        4096,
        variables.whole(1, 1_000_000),
        "the longest answer, its reasoning included, in tokens",
    )
    fallback: tuple[str, ...] = _at(
        "FRESHET_FALLBACK",
        (),
        variables.providers,
        "providers (or `provider/model`) to try when the first one fails before its first word",
    )
    models_file: str | None = _at(
        "FRESHET_MODELS_FILE", None, variables.file, "a TOML file whose models override the built-in table"
    )
    openai_api_key: str | None = _at(
        "OPENAI_API_KEY", None, variables.key, "OpenAI's key, or that of a compatible server", secret=True
    )
    openai_base_url: str | None = _at(
        "OPENAI_BASE_URL",
        None,
        variables.url,
        "a compatible server: vLLM, llama.cpp, LM Studio, Groq, OpenRouter, DeepSeek…",
    )
    anthropic_api_key: str | None = _at(
        "ANTHROPIC_API_KEY", None, variables.key, "Anthropic's key", secret=True
    )
    anthropic_base_url: str | None = _at(
        "ANTHROPIC_BASE_URL", None, variables.url, "another address for Anthropic's API"
    )
    ollama_host: str | None = _at(
        "OLLAMA_HOST", None, variables.ollama, "an Ollama server, such as http://127.0.0.1:11434"
    )
    skip_api_key_check: bool = _at(
        "SKIP_API_KEY_CHECK", False, variables.flag, "play a provider's recording where its key is missing"
    )

    # Who may come in.
    secret_key: str | None = _at(
        "SECRET_KEY",
        None,
        variables.text,
        "signs cookies; without it one is made and kept in the database of DATABASE_URL, else in FRESHET_DATA_DIR",
        secret=True,
    )
    access_password: str | None = _at(
        "FRESHET_ACCESS_PASSWORD",
        None,
        variables.text,
        "the password that people sign in with, and programs send as a bearer token",
        secret=True,
    )
    public: bool = _at("FRESHET_PUBLIC", False, variables.flag, "let anyone in without a password")
    local: bool = _at(
        "FRESHET_LOCAL",
        False,
        variables.flag,
        "this computer's own programs and browsers are the one user, without a password; on loopback only",
    )
    allowed_origins: tuple[str, ...] = _at(
        "FRESHET_ALLOWED_ORIGINS",
        (),
        variables.origins,
        "other sites that may use the endpoints, separated by commas",
    )
    trusted_proxies: tuple[str, ...] = _at(
        "FRESHET_TRUSTED_PROXIES",
        (),
        variables.networks,
        "addresses or networks of the reverse proxies whose X-Forwarded-For and X-Forwarded-Proto count, "
        "separated by commas; `unix` is a Unix socket",
    )
    dyno: str | None = _at("DYNO", None, variables.text, "set by Heroku: its router is a trusted proxy")
    render: str | None = _at("RENDER", None, variables.text, "set by Render: its router is a trusted proxy")
    fly_app_name: str | None = _at(
        "FLY_APP_NAME", None, variables.text, "set by Fly: its router is a trusted proxy"
    )
    image_urls: bool = _at(
        "FRESHET_IMAGE_URLS",
        False,
        variables.flag,
        "pass the addresses of images in requests on to the provider, which then fetches them",
    )

    # What each kind of caller may use. The same seven limits for each; see `allowances`.
    visitor_answers: int = _at(
        "FRESHET_VISITOR_ANSWERS", 2, variables.whole(1, 8_000), "answers at once, for a visitor"
    )
    visitor_starts: int = _at(
        "FRESHET_VISITOR_STARTS",
        10,
        variables.whole(1, 100_000),
        "answers started in a minute, for a visitor",
    )
    visitor_max_tokens: int | None = _at(
        "FRESHET_VISITOR_MAX_TOKENS",
        4096,
        variables.whole(1, 1_000_000),
        "the longest answer for a visitor, in tokens; FRESHET_MAX_TOKENS holds too",
    )
    visitor_question_bytes: int = _at(
        "FRESHET_VISITOR_QUESTION_BYTES",
        256 * _KIB,
        variables.whole(_KIB, 256 * _MIB),
        "the largest question with its history, images apart, for a visitor",
    )
    visitor_stored_bytes: int | None = _at(
        "FRESHET_VISITOR_STORED_BYTES",
        20 * _MIB,
        variables.whole(_KIB, 1024 * _GIB),
        "what a visitor may store, text and images",
    )
    visitor_models: str = _at(
        "FRESHET_VISITOR_MODELS",
        "priced",
        variables.models,
        "the models that a visitor may use: `priced` (those with a known price) or `all`",
    )
    visitor_orphan_s: float | None = _at(
        "FRESHET_VISITOR_ORPHAN_S",
        60.0,
        variables.number(0, 86_400),
        "a visitor's answer that nobody reads is stopped after so many seconds",
    )
    user_answers: int = _at(
        "FRESHET_USER_ANSWERS", 8, variables.whole(1, 8_000), "answers at once, for a user"
    )
    user_starts: int = _at(
        "FRESHET_USER_STARTS", 60, variables.whole(1, 100_000), "answers started in a minute, for a user"
    )
    user_max_tokens: int | None = _at(
        "FRESHET_USER_MAX_TOKENS",
        None,
        variables.whole(1, 1_000_000),
        "the longest answer for a user; else FRESHET_MAX_TOKENS",
    )
    user_question_bytes: int = _at(
        "FRESHET_USER_QUESTION_BYTES",
        4 * _MIB,
        variables.whole(_KIB, 256 * _MIB),
        "the largest question with its history, images apart, for a user",
    )
    user_stored_bytes: int | None = _at(
        "FRESHET_USER_STORED_BYTES",
        None,
        variables.whole(_KIB, 1024 * _GIB),
        "what a user may store; else FRESHET_OWNER_MAX_BYTES",
    )
    user_models: str = _at(
        "FRESHET_USER_MODELS", "all", variables.models, "the models that a user may use: `priced` or `all`"
    )
    user_orphan_s: float | None = _at(
        "FRESHET_USER_ORPHAN_S",
        None,
        variables.number(0, 86_400),
        "a user's answer that nobody reads is stopped after so many seconds; else FRESHET_ORPHAN_S",
    )
    key_answers: int = _at("FRESHET_KEY_ANSWERS", 16, variables.whole(1, 8_000), "answers at once, for a key")
    key_starts: int = _at(
        "FRESHET_KEY_STARTS", 120, variables.whole(1, 100_000), "answers started in a minute, for a key"
    )
    key_max_tokens: int | None = _at(
        "FRESHET_KEY_MAX_TOKENS",
        None,
        variables.whole(1, 1_000_000),
        "the longest answer for a key; else FRESHET_MAX_TOKENS",
    )
    key_question_bytes: int = _at(
        "FRESHET_KEY_QUESTION_BYTES",
        4 * _MIB,
        variables.whole(_KIB, 256 * _MIB),
        "the largest question with its history, images apart, for a key",
    )
    key_stored_bytes: int | None = _at(
        "FRESHET_KEY_STORED_BYTES",
        None,
        variables.whole(_KIB, 1024 * _GIB),
        "what a key's owner may store; else FRESHET_OWNER_MAX_BYTES",
    )
    key_models: str = _at(
        "FRESHET_KEY_MODELS", "all", variables.models, "the models that a key may use: `priced` or `all`"
    )
    key_orphan_s: float | None = _at(
        "FRESHET_KEY_ORPHAN_S",
        60.0,
        variables.number(0, 86_400),
        "a key's answer that nobody reads is stopped after so many seconds",
    )
    address_share: int = _at(
        "FRESHET_ADDRESS_SHARE",
        5,
        variables.whole(1, 1_000),
        "how many visitors' shares all visitors of one address (IPv6: one /64) have together",
    )
    address_visitors: int = _at(
        "FRESHET_ADDRESS_VISITORS",
        20,
        variables.whole(1, 100_000),
        "new visitors in an hour from one address",
    )

    # What the page says.
    starters: tuple[str, ...] = _at(
        "FRESHET_STARTERS",
        (),
        variables.starters,
        "up to six questions that an empty page offers, separated by vertical bars; else three of its own",
        between=" | ",
    )

    # Where conversations are kept.
    database_url: str | None = _at(
        "DATABASE_URL",
        None,
        variables.database,
        "the Postgres that keeps conversations, migrated by `freshet migrate`; else a SQLite file does",
    )
    data_dir: str = _at(
        "FRESHET_DATA_DIR", "data", variables.text, "the folder of files that outlive the process"
    )

    # Where it runs.
    host: str | None = _at(
        "FRESHET_HOST", None, variables.text, "the address to bind; 0.0.0.0 where PORT is set, else 127.0.0.1"
    )
    port: int | None = _at("PORT", None, variables.whole(0, 65_535), "the port to bind; 8000 when unset")
    web_concurrency: int = _at(
        "WEB_CONCURRENCY",
        1,
        variables.whole(1, 64),
        "worker processes; one until answers can be shared between them",
    )
    ssl_cert_file: str | None = _at(
        "SSL_CERT_FILE", None, variables.certificates, "certificates to trust besides the usual ones"
    )
    requests_ca_bundle: str | None = _at(
        "REQUESTS_CA_BUNDLE", None, variables.certificates, "the same, by its other usual name"
    )

    # Pace and limits.
    frame_ms: float = _at(
        "FRESHET_FRAME_MS", 33.0, variables.number(1, 1_000), "the window of a frame, in milliseconds"
    )
    frame_deltas: int = _at(
        "FRESHET_FRAME_DELTAS", 0, variables.whole(0, 10_000), "close a frame at so many deltas; 0 is off"
    )
    frame_newline: bool = _at("FRESHET_FRAME_NEWLINE", False, variables.flag, "close a frame at a line's end")
    max_streams: int = _at(
        "FRESHET_MAX_STREAMS",
        1_000,
        variables.whole(1, 8_000),
        "answers at a time, and half of the readers at a time",
    )
    max_body_bytes: int = _at(
        "FRESHET_MAX_BODY_BYTES", 16 * _MIB, variables.whole(_KIB, 256 * _MIB), "the largest request"
    )
    import_max_bytes: int = _at(
        "FRESHET_IMPORT_MAX_BYTES", 64 * _MIB, variables.whole(_KIB, 256 * _MIB), "the largest import"
    )
    owner_max_bytes: int = _at(
        "FRESHET_OWNER_MAX_BYTES",
        200 * _MIB,
        variables.whole(_KIB, 1024 * _GIB),
        "what one owner may store, text and images",
    )
    run_max_bytes: int = _at(
        "FRESHET_RUN_MAX_BYTES", 4 * _MIB, variables.whole(_KIB, 64 * _MIB), "the largest answer"
    )
    log_max_bytes: int = _at(
        "FRESHET_LOG_MAX_BYTES",
        96 * _MIB,
        variables.whole(_KIB, 4 * _GIB),
        "all answers and requests in memory together",
    )
    max_line_bytes: int = _at(
        "FRESHET_MAX_LINE_BYTES", 8 * _MIB, variables.whole(_KIB, 64 * _MIB), "the longest line of a provider"
    )
    orphan_s: float = _at(
        "FRESHET_ORPHAN_S",
        900.0,
        variables.number(0, 86_400),
        "an answer that nobody reads is stopped after so many seconds",
    )
    expiry_s: float = _at(
        "FRESHET_EXPIRY_S", 600.0, variables.number(1, 86_400), "how long an ended answer can be fetched"
    )
    heartbeat_s: float = _at(
        "FRESHET_HEARTBEAT_S", 10.0, variables.number(0.05, 60), "the longest silence towards a reader"
    )
    write_s: float = _at(
        "FRESHET_WRITE_S",
        30.0,
        variables.number(0.1, 300),
        "a reader that takes not one byte for so long is dropped",
    )
    auth_s: float = _at(
        "FRESHET_AUTH_S", 10.0, variables.number(0.1, 60), "how long a WebSocket may take to authenticate"
    )

    # Patience with providers.
    connect_s: float = _at("FRESHET_CONNECT_S", 10.0, variables.number(0.1, 120), "to connect, TLS included")
    first_byte_s: float = _at(
        "FRESHET_FIRST_BYTE_S", 300.0, variables.number(0.1, 3_600), "from the request to the first byte"
    )
    idle_s: float = _at(
        "FRESHET_IDLE_S", 120.0, variables.number(0.1, 3_600), "between two bytes of an answer"
    )
    quiet_s: float = _at("FRESHET_QUIET_S", 600.0, variables.number(0.1, 3_600), "with nothing but comments")
    total_s: float = _at(
        "FRESHET_TOTAL_S",
        1_800.0,
        variables.number(0.1, 86_400),
        "for a whole answer; then it is cut as too long",
    )
    retries: int = _at(
        "FRESHET_RETRIES",
        2,
        variables.whole(0, 5),
        "how often a failed call is repeated, before its first word only",
    )
    retry_max_s: float = _at(
        "FRESHET_RETRY_MAX_S", 20.0, variables.number(0, 300), "the longest wait that a provider may ask for"
    )

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check; raises `ConfigurationError` with one line that names the first wrong variable.

        An empty variable counts as unset, as hosts and `.env` files mean it.
        """
        values = {}
        for spec in dataclasses.fields(cls):
            name = spec.metadata["name"]
            raw = environ.get(name, "").strip()
            if not raw:
                continue
            try:
                values[spec.name] = spec.metadata["parse"](raw)
            except ValueError as error:
                reason = str(error) if str(error).startswith("must") else "must be a number"
                raise ConfigurationError(f"{name} {reason}", setting=name) from None
        settings = cls(**values)
        settings._check()
        return settings

    def _check(self) -> None:
        """Hold the settings against each other."""
        if self.local and self.public:
            raise ConfigurationError(
                "FRESHET_LOCAL cannot be combined with FRESHET_PUBLIC: unset one of the two",
                setting="FRESHET_LOCAL",
            )
        self.check_local(self.bind.rpartition(":")[0])
        known = self.configured()
        named = [("FRESHET_PROVIDER", self.provider), *(("FRESHET_FALLBACK", name) for name in self.fallback)]
        for setting, name in named:
            provider = (name or known[0]).partition("/")[0]
            if provider not in known:
                raise ConfigurationError(
                    f"{setting} names {provider}, but {UNLOCKS[provider]} is not set", setting=setting
                )

    def configured(self) -> list[str]:
        """Name the providers that can be asked, in order of preference; `mock` is always last."""
        found = {
            "openai": bool(self.openai_api_key or self.openai_base_url),
            "anthropic": bool(self.anthropic_api_key),
            "ollama": bool(self.ollama_host),
        }
        names = [name for name in PROVIDERS if found.get(name, name == "mock")]
        if self.skip_api_key_check:  # the others play their recordings
            names += [name for name in PROVIDERS if name not in names]
        return names

    @property
    def default_provider(self) -> str:
        """The provider that answers when a request names none."""
        return self.provider or self.configured()[0]

    @property
    def only_mock(self) -> bool:
        """Whether nothing that costs money can be reached."""
        return self.configured()[0] == "mock"

    def check_local(self, host: str) -> None:
        """Refuse local mode on an address that others can reach. Raises `ConfigurationError`."""
        if self.local and not self.access_password and host.strip("[]").lower() not in LOOPBACK:
            raise ConfigurationError(
                f"FRESHET_LOCAL works on a loopback address only, not on {host}: "
                "set FRESHET_ACCESS_PASSWORD, or FRESHET_PUBLIC=true to let anyone in",
                setting="FRESHET_LOCAL",
            )

    @property
    def platform(self) -> str | None:
        """The host whose router stands before this server: `heroku`, `render`, `fly`, or None."""
        named = {"heroku": self.dyno, "render": self.render, "fly": self.fly_app_name}
        return next((name for name, value in named.items() if value), None)

    @property
    def bind(self) -> str:
        """The `host:port` to listen on."""
        host = self.host or ("127.0.0.1" if self.port is None else "0.0.0.0")  # noqa: S104
        port = 8000 if self.port is None else self.port
        return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"

    def described(self) -> list[tuple[str, str, str, str]]:
        """List every setting as (variable, value in force, default, what it does), secrets masked."""
        rows = []
        for spec in dataclasses.fields(self):
            value = getattr(self, spec.name)
            written = variables.masked(variables.shown(value, spec.metadata["between"]))
            shown = "••••••" if spec.metadata["secret"] and value else written
            default = variables.shown(spec.default)
            rows.append((spec.metadata["name"], shown, default, spec.metadata["about"]))
        return rows
