"""What imports load: gunicorn imports the package before the worker patches the standard library."""

import subprocess
import sys

import pytest

import webapp

HEAVY = (
    "flask",
    "werkzeug",
    "requests",
    "urllib3",
    "ssl",
    "gevent",
    "msgspec",
    "certifi",
    "rich",
    "sqlalchemy",
    "alembic",
    "psycopg",
)


def modules_after(code: str) -> set[str]:
    """Return the modules that a new interpreter has loaded after `code`."""
    script = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return set(run.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = modules_after("import webapp")
    assert "typing" not in loaded, "importing typing takes too long for an import budget of 20 ms"
    assert not loaded & set(HEAVY)
    assert [name for name in loaded if name.startswith("webapp.")] == []


def test_gunicorn_s_configuration_loads_nothing_that_gevent_patches() -> None:
    """A module that the master imports before gevent patches it breaks every HTTPS call in the worker."""
    loaded = modules_after("import webapp.server")
    assert not loaded & {"flask", "requests", "urllib3", "ssl", "gevent", "socket", "selectors", "asyncio"}


def test_a_local_client_loads_no_database() -> None:
    loaded = modules_after("import webapp.cli, webapp.client; webapp.client.LocalClient(provider='mock')")
    assert not loaded & {"sqlalchemy", "alembic", "psycopg", "sqlite3", "webapp.store"}


def test_a_provider_loads_no_flask() -> None:
    loaded = modules_after("from webapp import create_provider, ModelMessage, ModelRequest")
    assert not loaded & {"flask", "werkzeug", "gevent", "gunicorn", "rich"}


def test_values_load_no_network_modules() -> None:
    loaded = modules_after(
        "import webapp.frames, webapp.framing, webapp.codecs.sse, webapp.models, webapp.runs.log"
    )
    assert not loaded & {"flask", "requests", "urllib3", "ssl", "gevent"}


@pytest.mark.parametrize("name", [name for name in webapp.__all__ if name != "__version__"])
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(webapp, name).__name__ == name
    assert name in dir(webapp)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        webapp.nonsense  # noqa: B018


def test_an_invalid_setting_stops_the_start_with_one_line() -> None:
    run = subprocess.run(
        [sys.executable, "-c", "import webapp.server"],
        env={"PORT": "http", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 1
    assert run.stderr == "freshet: PORT must be a number\n"
