"""All settings, read once from an environment and checked. Nothing else reads the environment.

`freshet config` and the documentation's table of settings come from these fields.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from webapp.errors import ConfigurationError
from webapp.settings import parsers
from webapp.settings.access import AccessSettings
from webapp.settings.limits import LimitSettings
from webapp.settings.parsers import PROVIDERS
from webapp.settings.providers import ProviderSettings
from webapp.settings.server import ServerSettings

UNLOCKS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "ollama": "OLLAMA_HOST"}
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True)
class Settings(ServerSettings, LimitSettings, AccessSettings, ProviderSettings):
    """All settings, checked. Create it with `Settings.read(os.environ)`."""

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
            written = parsers.masked(parsers.shown(value, spec.metadata["between"]))
            shown = "••••••" if spec.metadata["secret"] and value else written
            default = parsers.shown(spec.default)
            rows.append((spec.metadata["name"], shown, default, spec.metadata["about"]))
        return rows
