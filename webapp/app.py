"""Creates the Flask application: its services, middleware, request hooks, error handlers and blueprints."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask

from webapp import __version__
from webapp.access.addresses import network_of
from webapp.access.cookies import NameSigner
from webapp.access.keys import Keys
from webapp.access.principals import SOLE_USER, owner_of
from webapp.access.secret import Secret
from webapp.access.sessions import Sessions
from webapp.access.throttle import Throttle
from webapp.access.visitor_tokens import VisitorTokens
from webapp.api.document_upload import DocumentUpload
from webapp.api.ended_answers import EndedAnswers
from webapp.api.request_bodies import RequestBodies
from webapp.api.retrieval import Retrieval
from webapp.api.run_recovery import RunRecovery
from webapp.api.start_run import RunStarter
from webapp.assets.assets import Assets
from webapp.catalog.models import ModelTable
from webapp.documents.parse import DocumentParser
from webapp.logs import LineFormatter
from webapp.providers.factory import ProviderFactory, provider_addresses
from webapp.providers.registry import ProviderRegistry
from webapp.routes import (
    ai_sdk,
    changes,
    completions,
    conversations,
    documents,
    embed,
    error_responses,
    export_import,
    health,
    html_pages,
    keys,
    models,
    openapi,
    operations,
    page,
    request_hooks,
    sessions,
    shared,
    sign_in,
    site_scripts,
    socket,
    stream,
    visitor,
    web_app,
)
from webapp.routes.exact_request import ExactRequest
from webapp.routes.sub_path import mount
from webapp.services import Services, store_services
from webapp.settings import Settings
from webapp.store.word_search import WordSearch
from webapp.wiring import (
    make_gate,
    make_journal,
    make_limiter,
    make_metrics,
    make_proxies,
    make_runs,
    make_secret,
    make_store,
    read_settings,
)

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

log_ = logging.getLogger("freshet")

_WAITING_SHARE = 4  # at most a quarter of all connections may wait for request bodies
_SPARE_CONNECTIONS = 200


def create_app(settings: Settings | None = None) -> Flask:
    """Create the application; the settings are read from the environment unless given.

    Raises `ConfigurationError`, whose single line names the setting.
    """
    settings = settings or read_settings()
    table = ModelTable.read(settings.models_file)
    providers = ProviderRegistry(settings, table, ProviderFactory(settings, table))
    _log_to_stderr(LineFormatter(settings.log_format, settings.secrets()))
    app = _create_flask(settings)
    parts = _create_services(settings, table, providers)
    store_services(app.extensions, parts)
    app.wsgi_app = parts.bodies.guard(app.wsgi_app)  # type: ignore[assignment,method-assign]
    app.wsgi_app = parts.assets.serve(app.wsgi_app)  # type: ignore[assignment,method-assign]
    app.wsgi_app = mount(app.wsgi_app, parts.proxies)  # type: ignore[assignment,method-assign]
    error_responses.register(app)
    request_hooks.register(app)
    for module in (
        html_pages,
        page,
        sign_in,
        stream,
        socket,
        completions,
        ai_sdk,
        models,
        conversations,
        changes,
        documents,
        export_import,
        shared,
        sessions,
        visitor,
        web_app,
        health,
        operations,
        embed,
        site_scripts,
        keys,
        openapi,
    ):
        app.register_blueprint(module.blueprint)
    return app


def _create_flask(settings: Settings) -> Flask:
    app = Flask("webapp", static_folder=None, template_folder=str(_folder("templates")))
    app.request_class = ExactRequest
    app.url_map.merge_slashes = False  # werkzeug would redirect `//` with an HTML page; 404 instead
    app.config.update(
        MAX_CONTENT_LENGTH=settings.max_body_bytes,
        SEND_FILE_MAX_AGE_DEFAULT=0,
        SOCK_SERVER_OPTIONS=socket.OPTIONS,
    )
    return app


def _create_services(settings: Settings, table: ModelTable, providers: ProviderRegistry) -> Services:
    demo = providers.default.name == "mock"  # raises for a missing key now, not at the first question
    gate, metrics = make_gate(settings), make_metrics(table)
    store, journal, proxies = make_store(settings), make_journal(settings), make_proxies(settings)
    runs = make_runs(settings, table, metrics, journal)
    secret, limiter = make_secret(settings, store), make_limiter(settings, store.rate_counters)
    known_keys = Keys(store.keys, secret)
    ended_answers = EndedAnswers(runs=runs, store=store)
    retrieval = Retrieval(store=store, searches=[WordSearch(store)])
    runs.continue_lost(
        RunRecovery(providers=providers, limiter=limiter, store=store, retrieval=retrieval),
        may_continue=settings.takeover,
    )
    password = settings.access_password
    store.on_open(
        lambda: store.rename_legacy_owners(password, owner_of("user", SOLE_USER), _owner_digest(secret))
    )

    def address_of(environ: WSGIEnvironment) -> str | None:
        return None if gate.is_local else network_of(proxies.client_address(environ))

    return Services(
        assets=Assets(_folder("static"), Path(settings.data_dir) / "assets"),
        providers=providers,
        metrics=metrics,
        starter=RunStarter(
            providers=providers,
            limiter=limiter,
            runs=runs,
            store=store,
            retrieval=retrieval,
            ended_answers=ended_answers,
            image_urls=settings.image_urls,
        ),
        ended_answers=ended_answers,
        runs=runs,
        journal=journal,
        store=store,
        gate=gate,
        proxies=proxies,
        secret=secret,
        name_signer=NameSigner(secret.get),
        sessions=Sessions(store.sessions, lambda: secret.digest("session", password or "")),
        keys=known_keys,
        visitor_tokens=VisitorTokens(known_keys, secret),
        limiter=limiter,
        throttle=Throttle(store.rate_counters),
        bodies=RequestBodies(
            runs.memory,
            max_waiting=(2 * settings.max_streams + _SPARE_CONNECTIONS) // _WAITING_SHARE,
            usual_bytes=settings.max_body_bytes,
            address_of=address_of,
        ),
        uploads=DocumentUpload(parser=DocumentParser(), store=store, limiter=limiter),
        retrieval=retrieval,
        version=__version__,
        demo=demo,
        frame_ms=settings.frame_ms,
        starters=settings.starters,
        provider_addresses=provider_addresses(settings),
        write_s=settings.write_s,
        auth_s=settings.auth_s,
        max_body_bytes=settings.max_body_bytes,
        import_max_bytes=settings.import_max_bytes,
    )


def _owner_digest(secret: Secret) -> Callable[[str], str]:
    return lambda owner: secret.digest("former owner", owner)


def _folder(name: str) -> Path:
    """Return the path of `static` or `templates`: inside the package if it is installed, else beside it."""
    package = Path(__file__).parent
    installed = package / name
    return installed if installed.is_dir() else package.parent / name


def _log_to_stderr(formatter: LineFormatter) -> None:
    """Log the server's own messages to stderr, and silence urllib3's warnings about its connection pool."""
    logger = logging.getLogger("freshet")
    if not logger.handlers:
        logger.addHandler(logging.StreamHandler())
        logger.setLevel(logging.INFO)
        logger.propagate = False
    for handler in logger.handlers:
        handler.setFormatter(formatter)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
