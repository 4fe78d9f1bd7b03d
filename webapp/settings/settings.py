"""All settings, parsed from an environment and checked. No other module reads environment variables.

`freshet config` and docs/configuration.md are generated from these fields.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from webapp.errors import ConfigurationError
from webapp.settings import parsers
from webapp.settings.access import AccessSettings
from webapp.settings.limits import LimitSettings
from webapp.settings.parsers import PROVIDERS
from webapp.settings.providers import ProviderSettings
from webapp.settings.server import ServerSettings

REQUIRED_VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "ollama": "OLLAMA_HOST"}
DEFAULT_TEXT_TOKENS = 4_096
LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Settings(ServerSettings, LimitSettings, AccessSettings, ProviderSettings):
    """All settings. `Settings.read(os.environ)` returns checked ones."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Parse and check the variables. Raises `ConfigurationError`: one line that names the first wrong variable.

        An empty variable counts as unset, because hosting platforms and `.env` files cannot always unset one. Quotes around
        a value are removed: `docker run --env-file` keeps them.
        """
        values = {}
        for field in dataclasses.fields(cls):
            variable = field.metadata["variable"]
            raw = parsers.unquote(environ.get(variable, "").strip())
            if not raw:
                continue
            try:
                values[field.name] = field.metadata["parse"](raw)
            except ValueError as error:
                reason = str(error) if str(error).startswith("must") else "must be a number"
                raise ConfigurationError(f"{variable} {reason}", setting=variable) from None
        settings = cls(**values)
        settings._check()
        return settings

    def _check(self) -> None:
        """Raise `ConfigurationError` for settings that contradict each other."""
        if self.local and self.public:
            raise ConfigurationError(
                "FRESHET_LOCAL and FRESHET_PUBLIC exclude each other: unset one of them",
                setting="FRESHET_LOCAL",
            )
        self.require_loopback(self.bind.rpartition(":")[0])
        configured = self.configured_providers()
        chosen = [] if self.provider is None else [("FRESHET_PROVIDER", self.provider)]
        for variable, name in (*chosen, *(("FRESHET_FALLBACK", name) for name in self.fallback)):
            provider = name.partition("/")[0]
            if provider not in configured:
                raise ConfigurationError(
                    f"{variable} names {provider}, but {REQUIRED_VARIABLES[provider]} is not set",
                    setting=variable,
                )

    def configured_providers(self) -> list[str]:
        """Return the usable providers in order of preference; `mock` is always one of them."""
        has_access = {
            "openai": bool(self.openai_api_key or self.openai_base_url),
            "anthropic": bool(self.anthropic_api_key),
            "ollama": bool(self.ollama_host),
        }
        names = [name for name in PROVIDERS if has_access.get(name, name == "mock")]
        if self.skip_api_key_check:  # the other providers replay their recordings
            names += [name for name in PROVIDERS if name not in names]
        return names

    @property
    def default_provider(self) -> str:
        """The provider of a request that names none."""
        return self.provider or self.configured_providers()[0]

    @property
    def text_tokens(self) -> int:
        """The maximum of an answer's text, in tokens; with FRESHET_MAX_TOKENS, of its reasoning and its text."""
        return DEFAULT_TEXT_TOKENS if self.max_tokens is None else self.max_tokens

    @property
    def is_mock_only(self) -> bool:
        """Whether no provider is configured that could cost money."""
        return self.configured_providers()[0] == "mock"

    def require_loopback(self, host: str) -> None:
        """Raise `ConfigurationError` in local mode for an address that other computers can reach."""
        if self.local and not self.access_password and host.strip("[]").lower() not in LOOPBACK_HOSTS:
            raise ConfigurationError(
                f"FRESHET_LOCAL needs a loopback address, not {host}: "
                "set FRESHET_ACCESS_PASSWORD, or FRESHET_PUBLIC=true to admit everybody",
                setting="FRESHET_LOCAL",
            )

    @property
    def platform(self) -> str | None:
        """The hosting platform whose router forwards the requests: `heroku`, `render`, `fly`, or None."""
        variables = {"heroku": self.dyno, "render": self.render, "fly": self.fly_app_name}
        return next((name for name, value in variables.items() if value), None)

    @property
    def bind(self) -> str:
        """The `host:port` to listen on."""
        host = self.host or ("127.0.0.1" if self.port is None else "0.0.0.0")  # noqa: S104
        port = 8000 if self.port is None else self.port
        return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"

    def secrets(self) -> list[str]:
        """Return the values that no log line may contain."""
        values = [getattr(self, field.name) for field in dataclasses.fields(self) if field.metadata["secret"]]
        for url in (self.database_url, self.redis_url):
            password = None if url is None else urlsplit(url).password
            if password:
                values += [password, unquote(password)]
        return [value for value in dict.fromkeys(values) if value]

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Return each setting as (variable, current value, default, description), secrets masked."""
        rows = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            text = parsers.mask(parsers.format_value(value, field.metadata["separator"]))
            shown = "••••••" if field.metadata["secret"] and value else text
            default = parsers.format_value(field.default)
            rows.append((field.metadata["variable"], shown, default, field.metadata["description"]))
        return rows
