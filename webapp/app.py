"""The Flask application: services wired, endpoints registered, errors and the resolver put before them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from webapp import __version__
from webapp.access.addresses import network_of
from webapp.access.cookies import Names
from webapp.access.gate import Gate
from webapp.access.principals import OWNER, owner_of
from webapp.access.secret import Secret
from webapp.access.sessions import Sessions
from webapp.access.throttle import Throttle
from webapp.api.request_bodies import RequestBodies
from webapp.api.start_run import RunStarter
from webapp.assets.assets import Assets
from webapp.catalog.models import ModelTable
from webapp.providers.factory import ProviderFactory
from webapp.providers.registry import ProviderRegistry
from webapp.routes import (
    authentication,
    completions,
    conversations,
    error_responses,
    export_import,
    health,
    page,
    sessions,
    shared,
    socket,
    stream,
    visitor,
    web_app,
)
from webapp.services import Services, keep
from webapp.settings import Settings
from webapp.wiring import (
    make_limiter,
    make_proxies,
    make_runs,
    make_secret,
    make_store,
    read_settings,
)

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

log_ = logging.getLogger("freshet")

_WAITING_SHARE = 4  # a quarter of all connections may be waiting for bodies
_SPARE_CONNECTIONS = 200


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; settings come from the environment unless given.

    Raises `ConfigurationError`, whose one line names the setting, before anything is served.
    """
    settings = settings or read_settings()
    models = ModelTable.read(settings.models_file)
    providers = ProviderRegistry(settings, models, ProviderFactory(settings, models))
    _log_to_stderr()
    app = _bare_app(settings)
    parts = _services(settings, models, providers)
    keep(app.extensions, parts)
    app.wsgi_app = parts.bodies.guard(app.wsgi_app)  # type: ignore[assignment,method-assign]
    app.wsgi_app = parts.assets.serve(app.wsgi_app)  # type: ignore[assignment,method-assign]
    error_responses.register(app)
    authentication.register(app)
    for group in (
        page,
        stream,
        socket,
        completions,
        conversations,
        export_import,
        shared,
        sessions,
        visitor,
        web_app,
        health,
    ):
        app.register_blueprint(group.blueprint)
    return app


def _bare_app(settings: Settings) -> Flask:
    app = Flask("webapp", static_folder=None, template_folder=str(_folder("templates")))
    app.url_map.merge_slashes = False  # two slashes are no address of ours: werkzeug would redirect by a page
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        SEND_FILE_MAX_AGE_DEFAULT=0,
        SOCK_SERVER_OPTIONS=socket.OPTIONS,
    )
    return app


def _services(settings: Settings, models: ModelTable, providers: ProviderRegistry) -> Services:
    demo = providers.default.name == "mock"  # a missing key stops the start, not the first question
    gate = Gate(
        password=settings.access_password,
        public=settings.public,
        local=settings.local,
        only_mock=settings.only_mock,
        origins=settings.allowed_origins,
    )
    store, runs, proxies = make_store(settings), make_runs(settings, models), make_proxies(settings)
    secret, limiter = make_secret(settings, store), make_limiter(settings)
    password = settings.access_password
    store.on_open(lambda: store.rename_former(password, owner_of("user", OWNER), _keyed(secret)))

    def address_of(environ: WSGIEnvironment) -> str | None:
        return None if gate.is_local else network_of(proxies.client(environ))

    return Services(
        assets=Assets(_folder("static"), Path(settings.data_dir) / "assets"),
        providers=providers,
        starter=RunStarter(
            providers=providers, limiter=limiter, runs=runs, store=store, image_urls=settings.image_urls
        ),
        runs=runs,
        store=store,
        gate=gate,
        proxies=proxies,
        secret=secret,
        names=Names(secret.get),
        sessions=Sessions(store.sessions, lambda: secret.digest("session", password or "")),
        limiter=limiter,
        throttle=Throttle(),
        bodies=RequestBodies(
            runs,
            most_waiting=(2 * settings.max_streams + _SPARE_CONNECTIONS) // _WAITING_SHARE,
            usual_bytes=settings.max_body_bytes,
            address_of=address_of,
        ),
        version=__version__,
        demo=demo,
        frame_ms=settings.frame_ms,
        starters=settings.starters,
        write_s=settings.write_s,
        auth_s=settings.auth_s,
        max_body_bytes=settings.max_body_bytes,
        import_max_bytes=settings.import_max_bytes,
    )


def _keyed(secret: Secret) -> Callable[[str], str]:
    return lambda owner: secret.digest("former owner", owner)


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
