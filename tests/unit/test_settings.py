"""The settings: parsing, checks between them, masking; every error names its variable."""

import dataclasses
from pathlib import Path

import pytest

from webapp.errors import ConfigurationError
from webapp.settings import Settings

VARIABLES = [field.metadata["variable"] for field in dataclasses.fields(Settings)]
SECRETS = [
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "SECRET_KEY",
    "FRESHET_ACCESS_PASSWORD",
    "FRESHET_OPERATOR_KEY",
]

INVALID = {
    "FRESHET_PROVIDER": ["gpt", "OpenAI", "openai/gpt-4.1", "openai,mock"],
    "FRESHET_OPENAI_API": ["both", "chat,responses", "completions"],
    "FRESHET_MAX_TOKENS": ["0", "-1", "many", "1.5", "1e3", "1000001", "nan"],
    "FRESHET_FALLBACK": ["nobody", "mock,nobody/x", "anthropic"],
    "FRESHET_MODELS_FILE": ["/nowhere/models.toml", "/"],
    "OPENAI_BASE_URL": [
        "localhost:1234",
        "ftp://h",
        "http://",
        "http://[::1",
        "http://h:99999",
        "http://h:port",
    ],
    "ANTHROPIC_BASE_URL": ["api.anthropic.com"],
    "OLLAMA_HOST": ["http://", "h:99999", "[::1", "h:port"],
    "OLLAMA_KEEP_ALIVE": ["soon", "10 m", "1d", "1.5", "1e3", "m", "30m30"],
    "SKIP_API_KEY_CHECK": ["maybe", "2", "truth"],
    "FRESHET_PUBLIC": ["public", "-1"],
    "FRESHET_ALLOWED_ORIGINS": ["example.org", "null", "https://a.example/path", "https://", "https://["],
    "FRESHET_LOCAL": ["maybe"],
    "FRESHET_TRUSTED_PROXIES": ["nginx", "10.0.0.0/33", "127.0.0.1;10.0.0.1", ",", "10.0.0.1:80", "1.2.3"],
    "FRESHET_IMAGE_URLS": ["maybe"],
    "FRESHET_VISITOR_ANSWERS": ["0", "8001", "two"],
    "FRESHET_VISITOR_STARTS": ["0", "-1"],
    "FRESHET_VISITOR_MAX_TOKENS": ["0", "1000001"],
    "FRESHET_VISITOR_QUESTION_BYTES": ["1023", "16M"],
    "FRESHET_VISITOR_STORED_BYTES": ["1023", "16M"],
    "FRESHET_VISITOR_MODELS": ["none", "gpt-4.1"],
    "FRESHET_VISITOR_ORPHAN_S": ["-1", "86401"],
    "FRESHET_USER_ANSWERS": ["0", "8001", "two"],
    "FRESHET_USER_STARTS": ["0", "-1"],
    "FRESHET_USER_MAX_TOKENS": ["0", "1000001"],
    "FRESHET_USER_QUESTION_BYTES": ["1023", "16M"],
    "FRESHET_USER_STORED_BYTES": ["1023", "16M"],
    "FRESHET_USER_MODELS": ["none", "gpt-4.1"],
    "FRESHET_USER_ORPHAN_S": ["-1", "86401"],
    "FRESHET_KEY_ANSWERS": ["0", "8001", "two"],
    "FRESHET_KEY_STARTS": ["0", "-1"],
    "FRESHET_KEY_MAX_TOKENS": ["0", "1000001"],
    "FRESHET_KEY_QUESTION_BYTES": ["1023", "16M"],
    "FRESHET_KEY_STORED_BYTES": ["1023", "16M"],
    "FRESHET_KEY_MODELS": ["none", "gpt-4.1"],
    "FRESHET_KEY_ORPHAN_S": ["-1", "86401"],
    "FRESHET_ADDRESS_SHARE": ["0", "1001"],
    "FRESHET_ADDRESS_VISITORS": ["0", "x"],
    "FRESHET_STARTERS": ["|", " | ", "|".join("abcdefg"), "x" * 121, "a|\x1b[31mred"],
    "DATABASE_URL": [
        "sqlite:///x.db",
        "mysql://h/db",
        "h/db",
        "postgres://",
        "postgres:///db",
        "postgres://u:p/w@h/db",
        "postgres://h:port/db",
    ],
    "REDIS_URL": [
        "http://h:6379",
        "h:6379",
        "nonsense",
        "redis://",
        "redis://h:port",
        "redis://h:0",
        "redis://h/name",
        "redis://h/0/1",
        "redis://h#a",
        "redis://h?ssl_cert_reqs=none",
        "rediss://h?ssl_cert_reqs=maybe",
        "rediss://h?password=secret",
        "redis://user:se/cret@h",
    ],
    "PORT": ["http", "-1", "65536", "80.5"],
    "WEB_CONCURRENCY": ["0", "65", "auto"],
    "FRESHET_LOG_FORMAT": ["xml", "plain"],
    "FRESHET_JOURNAL": ["sqlite", "redis"],
    "FRESHET_LEASE_S": ["0.4", "61", "long"],
    "SSL_CERT_FILE": ["/nowhere.pem"],
    "REQUESTS_CA_BUNDLE": ["/nowhere.pem"],
    "FRESHET_FRAME_MS": ["0", "1001", "fast", "nan", "inf", "-33"],
    "FRESHET_FRAME_DELTAS": ["-1", "10001"],
    "FRESHET_FRAME_NEWLINE": ["\\n"],
    "FRESHET_TAKEOVER": ["maybe"],
    "FRESHET_MAX_STREAMS": ["0", "8001"],
    "FRESHET_MAX_BODY_BYTES": ["1023", "16M"],
    "FRESHET_IMPORT_MAX_BYTES": ["1023", "16M"],
    "FRESHET_OWNER_MAX_BYTES": ["1023", "16M"],
    "FRESHET_RUN_MAX_BYTES": ["1023"],
    "FRESHET_LOG_MAX_BYTES": ["1023"],
    "FRESHET_MAX_LINE_BYTES": ["1023"],
    "FRESHET_ORPHAN_S": ["-1", "86401", "15m"],
    "FRESHET_EXPIRY_S": ["0", "nan"],
    "FRESHET_HEARTBEAT_S": ["0", "61"],
    "FRESHET_WRITE_S": ["0"],
    "FRESHET_AUTH_S": ["0"],
    "FRESHET_CONNECT_S": ["0", "121"],
    "FRESHET_FIRST_BYTE_S": ["0"],
    "FRESHET_IDLE_S": ["0"],
    "FRESHET_QUIET_S": ["0"],
    "FRESHET_TOTAL_S": ["0", "inf"],
    "FRESHET_RETRIES": ["-1", "6"],
    "FRESHET_RETRY_MAX_S": ["-1", "301"],
}
UNCHECKED = {
    "FRESHET_MODEL",
    "FRESHET_HOST",
    "FRESHET_DATA_DIR",
    "DYNO",
    "RENDER",
    "FLY_APP_NAME",
    *SECRETS,
}  # every text is valid


def test_every_checked_variable_has_invalid_examples() -> None:
    assert set(VARIABLES) == set(INVALID) | UNCHECKED


@pytest.mark.parametrize(
    ("name", "raw"), [(name, raw) for name, examples in INVALID.items() for raw in examples]
)
def test_an_invalid_value_raises_one_line_that_names_the_variable(name: str, raw: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.read({name: raw})
    line = str(refused.value)
    assert refused.value.setting == name
    assert line.startswith(f"{name} ")
    assert "\n" not in line
    assert refused.value.__cause__ is None


def test_an_error_does_not_repeat_the_value() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.read({"OPENAI_BASE_URL": "canary"})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("raw", ["", "  ", "\n"])
def test_an_empty_variable_is_unset(name: str, raw: str) -> None:
    assert Settings.read({name: raw}) == Settings()


def test_white_space_around_a_value_is_stripped() -> None:
    assert Settings.read({"PORT": " 80\n"}).port == 80


@pytest.mark.parametrize("raw", ["1", "true", "TRUE", "yes", "on"])
def test_true_values(raw: str) -> None:
    assert Settings.read({"FRESHET_PUBLIC": raw}).public


@pytest.mark.parametrize("raw", ["0", "false", "False", "no", "off"])
def test_false_values(raw: str) -> None:
    assert not Settings.read({"FRESHET_PUBLIC": raw}).public


def test_other_variables_are_ignored() -> None:
    assert Settings.read({"HOME": "/", "FRESHET": "x", "PROVIDER": "y", "http_proxy": "z"}) == Settings()


# Local mode.


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "LOCALHOST"])
def test_local_mode_works_on_loopback(host: str) -> None:
    assert Settings.read({"FRESHET_LOCAL": "true", "FRESHET_HOST": host}).local


@pytest.mark.parametrize(
    "environ",
    [{"FRESHET_HOST": "0.0.0.0"}, {"FRESHET_HOST": "192.168.0.2"}, {"PORT": "80"}, {"FRESHET_HOST": "::"}],
)
def test_local_mode_is_refused_on_other_addresses(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=r"FRESHET_LOCAL.*FRESHET_ACCESS_PASSWORD") as refused:
        Settings.read({"FRESHET_LOCAL": "true"} | environ)
    assert "\n" not in str(refused.value)
    Settings.read({"FRESHET_LOCAL": "true", "FRESHET_ACCESS_PASSWORD": "x"} | environ)


def test_local_and_public_exclude_each_other() -> None:
    with pytest.raises(ConfigurationError, match=r"FRESHET_LOCAL.*FRESHET_PUBLIC") as refused:
        Settings.read({"FRESHET_LOCAL": "true", "FRESHET_PUBLIC": "true"})
    assert refused.value.setting == "FRESHET_LOCAL"


@pytest.mark.parametrize(
    ("environ", "platform"),
    [
        ({}, None),
        ({"DYNO": "web.1"}, "heroku"),
        ({"RENDER": "true"}, "render"),
        ({"FLY_APP_NAME": "x"}, "fly"),
    ],
)
def test_the_platform_is_detected(environ: dict[str, str], platform: str | None) -> None:
    assert Settings.read(environ).platform == platform


# Addresses.


@pytest.mark.parametrize(
    ("environ", "bind"),
    [
        ({}, "127.0.0.1:8000"),
        ({"PORT": "5000"}, "0.0.0.0:5000"),
        ({"PORT": "0"}, "0.0.0.0:0"),
        ({"FRESHET_HOST": "10.0.0.1"}, "10.0.0.1:8000"),
        ({"FRESHET_HOST": "127.0.0.1", "PORT": "5000"}, "127.0.0.1:5000"),
        ({"FRESHET_HOST": "::1"}, "[::1]:8000"),
        ({"FRESHET_HOST": "::", "PORT": "0"}, "[::]:0"),
        ({"FRESHET_HOST": "[::1]", "PORT": "5000"}, "[::1]:5000"),
    ],
)
def test_the_address_to_bind(environ: dict[str, str], bind: str) -> None:
    assert Settings.read(environ).bind == bind


@pytest.mark.parametrize(
    ("raw", "address"),
    [
        ("localhost", "http://localhost:11434"),
        ("gpu.example:1234", "http://gpu.example:1234"),
        (":1234", "http://127.0.0.1:1234"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:1234", "http://127.0.0.1:1234"),
        ("[::1]:1234", "http://[::1]:1234"),
        ("https://gpu.example/ollama/", "https://gpu.example/ollama"),
    ],
)
def test_ollama_host_is_parsed_as_ollama_does(raw: str, address: str) -> None:
    assert Settings.read({"OLLAMA_HOST": raw}).ollama_host == address


@pytest.mark.parametrize(
    ("raw", "value"),
    [("-1", -1), ("0", 0), ("3600", 3600), ("30m", "30m"), ("1h30m", "1h30m"), ("-1s", "-1s")],
)
def test_ollama_keep_alive_is_a_number_or_a_duration(raw: str, value: int | str) -> None:
    assert Settings.read({"OLLAMA_KEEP_ALIVE": raw}).ollama_keep_alive == value


def test_origins_are_split_and_lowercased() -> None:
    raw = "https://A.example , http://b.example:8080/,,*"
    assert Settings.read({"FRESHET_ALLOWED_ORIGINS": raw}).allowed_origins == (
        "https://a.example",
        "http://b.example:8080",
        "*",
    )


# Providers.


@pytest.mark.parametrize(
    ("environ", "default", "configured"),
    [
        ({}, "mock", ["mock"]),
        ({"OPENAI_API_KEY": "k"}, "openai", ["openai", "mock"]),
        ({"OPENAI_BASE_URL": "http://h"}, "openai", ["openai", "mock"]),
        ({"ANTHROPIC_API_KEY": "k", "OLLAMA_HOST": "h"}, "anthropic", ["anthropic", "ollama", "mock"]),
        ({"OLLAMA_HOST": "h", "FRESHET_PROVIDER": "mock"}, "mock", ["ollama", "mock"]),
        ({"SKIP_API_KEY_CHECK": "1"}, "mock", ["mock", "openai", "anthropic", "ollama"]),
        (
            {"SKIP_API_KEY_CHECK": "1", "FRESHET_PROVIDER": "anthropic"},
            "anthropic",
            ["mock", "openai", "anthropic", "ollama"],
        ),
    ],
)
def test_configured_providers(environ: dict[str, str], default: str, configured: list[str]) -> None:
    settings = Settings.read(environ)
    assert (settings.default_provider, settings.configured_providers()) == (default, configured)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, True),
        ({"SKIP_API_KEY_CHECK": "1"}, True),
        ({"OPENAI_API_KEY": "k"}, False),
        ({"OPENAI_API_KEY": "k", "FRESHET_PROVIDER": "mock"}, False),
        ({"OLLAMA_HOST": "h"}, False),
    ],
)
def test_is_mock_only(environ: dict[str, str], expected: bool) -> None:
    assert Settings.read(environ).is_mock_only is expected


@pytest.mark.parametrize(
    ("environ", "setting", "missing"),
    [
        ({"FRESHET_PROVIDER": "openai"}, "FRESHET_PROVIDER", "OPENAI_API_KEY"),
        ({"FRESHET_PROVIDER": "ollama"}, "FRESHET_PROVIDER", "OLLAMA_HOST"),
        ({"FRESHET_FALLBACK": "mock, anthropic/claude"}, "FRESHET_FALLBACK", "ANTHROPIC_API_KEY"),
    ],
)
def test_a_chosen_provider_without_its_key_raises_an_error_that_names_the_key(
    environ: dict[str, str], setting: str, missing: str
) -> None:
    with pytest.raises(ConfigurationError, match=missing) as refused:
        Settings.read(environ)
    assert refused.value.setting == setting


def test_starters_are_separated_by_vertical_bars() -> None:
    raw = ' Why  is the\tsky blue? | |<b>x</b>, "y"|👩‍👧 و می‌خواهم'
    settings = Settings.read({"FRESHET_STARTERS": raw})
    assert settings.starters == ("Why is the sky blue?", '<b>x</b>, "y"', "👩‍👧 و می‌خواهم")
    shown = {name: value for name, value, *_ in settings.describe()}
    assert shown["FRESHET_STARTERS"] == 'Why is the sky blue? | <b>x</b>, "y" | 👩‍👧 و می‌خواهم'


# `describe`.


def test_every_setting_is_described() -> None:
    rows = Settings().describe()
    assert [row[0] for row in rows] == VARIABLES
    assert all(len(description) > 8 and not description.endswith(".") for *_, description in rows)


def test_shown_defaults_parse_to_the_defaults() -> None:
    shown = {name: default for name, _, default, _ in Settings().describe()}
    assert shown["FRESHET_FRAME_MS"] == "33"
    assert shown["FRESHET_PUBLIC"] == "false"
    assert shown["FRESHET_PROVIDER"] == shown["FRESHET_ALLOWED_ORIGINS"] == ""
    set_again = {name: default for name, default in shown.items() if default}
    assert Settings.read(set_again) == Settings()


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_masked_whatever_their_length(name: str) -> None:
    shown = {length: dict(row[:2] for row in secret_of(name, length).describe())[name] for length in (1, 99)}
    assert shown == {1: "••••••", 99: "••••••"}
    assert dict(row[:2] for row in Settings().describe())[name] == ""


def secret_of(name: str, length: int) -> Settings:
    return Settings.read({name: "c" * length})


def test_current_values_are_shown() -> None:
    settings = Settings.read({"PORT": "80", "FRESHET_ALLOWED_ORIGINS": "https://a.example,https://b.example"})
    shown = {name: value for name, value, *_ in settings.describe()}
    assert shown["PORT"] == "80"
    assert shown["FRESHET_ALLOWED_ORIGINS"] == "https://a.example,https://b.example"


def test_a_certificate_file_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\n")
    assert Settings.read({"SSL_CERT_FILE": str(path)}).ssl_cert_file == str(path)


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(b"\x30\x82 not PEM")
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE must be a PEM file of certificates"):
        Settings.read({"SSL_CERT_FILE": str(path)})


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"])
@pytest.mark.parametrize("key", ["sk-\u2026", "sk-canary one", "sk-canary\nX-Evil: 1", "schl\u00fcssel"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(name: str, key: str) -> None:
    """Otherwise the first call fails as "provider unreachable" or as an internal error."""
    with pytest.raises(ConfigurationError, match=f"{name} must be a key") as refused:
        Settings.read({name: key})
    assert key[:6] not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (
            "https://user:secret@proxy.example/v1",
            "https://\u2022\u2022\u2022\u2022\u2022\u2022@proxy.example/v1",
        ),
        (
            "https://x.example/v1?api-version=1&key=secret",
            "https://x.example/v1?api-version=\u2022\u2022\u2022\u2022\u2022\u2022&key=\u2022\u2022\u2022\u2022\u2022\u2022",
        ),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
    ],
)
def test_secrets_in_a_url_are_masked(address: str, shown: str) -> None:
    rows = {name: value for name, value, *_ in Settings.read({"OPENAI_BASE_URL": address}).describe()}
    assert rows["OPENAI_BASE_URL"] == shown


@pytest.mark.parametrize("password", ["secret", "se@cret", "se:cret", "se%2Fcret"])
def test_the_database_password_is_masked(password: str) -> None:
    settings = Settings.read({"DATABASE_URL": f"postgres://user:{password}@host.example/db?sslmode=require"})
    shown = {name: value for name, value, *_ in settings.describe()}["DATABASE_URL"]
    assert "cret" not in shown
    assert "@host.example/db" in shown


@pytest.mark.parametrize("url", ["postgres://h/db", "postgresql://u:p@h:1/db", "postgresql:///db?host=/tmp"])
def test_database_urls_of_hosting_platforms_are_accepted(url: str) -> None:
    assert Settings.read({"DATABASE_URL": url}).database_url == url


def test_an_invalid_redis_url_does_not_show_its_password() -> None:
    for url in ("redis://user:can/ary@h", "http://user:canary@h", "rediss://h?password=canary"):
        with pytest.raises(ConfigurationError) as refused:
            Settings.read({"REDIS_URL": url})
        assert "ary" not in str(refused.value)


def test_an_invalid_database_url_does_not_show_its_password() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.read({"DATABASE_URL": "postgres://user:can/ary@host/db"})
    assert "can" not in str(refused.value).replace("database", "")


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://:p@h:6379/15",
        "rediss://default:p%40ss@h.example:25100",
        "rediss://h/?ssl_cert_reqs=none",
        "redis://[::1]:6379/",
    ],
)
def test_redis_urls_of_hosting_platforms_are_accepted(url: str) -> None:
    assert Settings.read({"REDIS_URL": url}).redis_url == url


def test_the_redis_password_is_masked_and_kept_out_of_logs() -> None:
    settings = Settings.read({"REDIS_URL": "rediss://default:can%40ary@h.example:1/0"})
    shown = {name: value for name, value, *_ in settings.describe()}["REDIS_URL"]
    assert "ary" not in shown
    assert "@h.example:1/0" in shown
    assert {"can%40ary", "can@ary"} <= set(settings.secrets())


@pytest.mark.parametrize("quote", ['"', "'"])
def test_n21_quotes_of_an_env_file_are_removed(quote: str) -> None:
    environ = {"OPENAI_API_KEY": "k-1234567890", "OPENAI_BASE_URL": "http://h/v1", "FRESHET_RETRIES": "1"}
    quoted = {name: f"{quote}{value}{quote}" for name, value in environ.items()}
    assert Settings.read(quoted) == Settings.read(environ)


@pytest.mark.parametrize("key", ['"k-1234567890', "k-1234567890'", "\"k-1234567890'"])
def test_n21_a_key_with_a_quote_at_one_end_is_named(key: str) -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY must be a key without a quote"):
        Settings.read({"OPENAI_API_KEY": key})
