"""The Flask application: services wired, doors opened, errors and the gate put before them."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

from flask import Flask

from webapp import __version__
from webapp.access.gate import Gate
from webapp.access.secret import kept_secret
from webapp.access.throttle import Throttle
from webapp.models import Models
from webapp.providers.catalog import ProviderCatalog
from webapp.routes import (
    admission,
    completions,
    conversations,
    health,
    install,
    page,
    porting,
    replies,
    shared,
    socket,
    stream,
)
from webapp.routes.assets import Assets
from webapp.routes.services import Services, keep
from webapp.settings import Settings
from webapp.wiring import Workshop, make_runs, make_store, read_settings

log_ = logging.getLogger("freshet")

_SIGNED_IN_FOR = timedelta(days=30)


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; settings come from the environment unless given.

    Raises `ConfigurationError`, whose one line names the setting, before anything is served.
    """
    settings = settings or read_settings()
    models = Models.read(settings.models_file)
    catalog = ProviderCatalog(settings, models, Workshop(settings, models))
    _log_to_stderr()
    secret = settings.secret_key or kept_secret(settings.data_dir)
    app = _bare_app(settings, secret)
    parts = _services(settings, models, catalog, secret)
    keep(app.extensions, parts)
    app.wsgi_app = parts.assets.serve(app.wsgi_app)  # type: ignore[assignment,method-assign]
    replies.register(app)
    admission.register(app)
    for door in (page, install, stream, socket, completions, conversations, porting, shared, health):
        app.register_blueprint(door.blueprint)
    return app


def _bare_app(settings: Settings, secret: str) -> Flask:
    app = Flask("webapp", static_folder=None, template_folder=str(_folder("templates")))
    app.url_map.merge_slashes = False  # two slashes are no address of ours: werkzeug would redirect by a page
    app.config.update(
        SECRET_KEY=secret,
        SESSION_COOKIE_NAME="freshet",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=_SIGNED_IN_FOR,
        SESSION_REFRESH_EACH_REQUEST=False,  # a late answer after a sign-out must not bring the cookie back
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        SEND_FILE_MAX_AGE_DEFAULT=0,
        SOCK_SERVER_OPTIONS=socket.OPTIONS,
    )
    return app


def _services(settings: Settings, models: Models, catalog: ProviderCatalog, secret: str) -> Services:
    demo = catalog.default.name == "mock"  # a missing key stops the start, not the first question
    gate = Gate(
        password=settings.access_password,
        public=settings.public,
        only_mock=settings.only_mock,
        origins=settings.allowed_origins,
        secret=secret,
    )
    return Services(
        assets=Assets(_folder("static")),
        catalog=catalog,
        runs=make_runs(settings, models),
        store=make_store(settings),
        gate=gate,
        throttle=Throttle(),
        version=__version__,
        demo=demo,
        frame_ms=settings.frame_ms,
        starters=settings.starters,
        orphan_s=settings.orphan_s,
        write_s=settings.write_s,
        auth_s=settings.auth_s,
        max_body_bytes=settings.max_body_bytes,
        import_max_bytes=settings.import_max_bytes,
    )


def _folder(name: str) -> Path:
    """Find `static` or `templates`: inside the package once installed, else beside it."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name


def _log_to_stderr() -> None:
    """Let our own warnings be read; what urllib3 says of its pool is of no use to anybody."""
    logger = logging.getLogger("freshet")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    logging.getLogger("urllib3").setLevel(logging.ERROR)
