"""Renders HTML pages from the templates: their language, colour scheme and Content-Security-Policy."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, make_response, render_template, request

from webapp.routes.sub_path import path_to_root
from webapp.services import services

blueprint = Blueprint("html_pages", __name__)  # without routes: its templates' global

LANGUAGES = ("en", "de", "fr", "es", "zh", "ar")
_RIGHT_TO_LEFT = frozenset({"ar"})
# Set by static/settings/color-scheme.js when a person has chosen a colour scheme other than the device's.
_SCHEME_COOKIE, _SCHEMES = "freshet-scheme", ("light", "dark")
# The Content-Security-Policy of a page; https://www.w3.org/TR/CSP3/
PAGE_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "freshet",
}


@blueprint.app_template_global()
def asset(name: str) -> str:
    """Return the URL of a file under static/ relative to the current page, for templates."""
    return path_to_root() + services().assets.url(name).removeprefix("/")


def render_page(
    template: str, status: int, *, policy: Mapping[str, str] = PAGE_POLICY, **context: object
) -> Response:
    """Return a page that no cache keeps and that may load only what `policy` allows."""
    tag = choose_language()
    words = services().assets.words[tag]
    scheme = request.cookies.get(_SCHEME_COOKIE)
    chosen_scheme = scheme if scheme in _SCHEMES else None
    html = render_template(
        template,
        **context,
        root=path_to_root(),
        lang=tag,
        dir=text_direction(tag),
        words=words,
        scheme=chosen_scheme,
    )
    response = make_response(html, status)
    response.vary.add("Accept-Language")
    directives = "; ".join(f"{name} {value}" for name, value in policy.items())
    response.headers["Content-Security-Policy"] = directives
    response.headers["Cache-Control"] = "no-store"
    if status == 503:
        response.headers["Retry-After"] = "60"
    return response


def choose_language() -> str:
    """Return the supported language that the current request prefers; English if it accepts none."""
    for tag, quality in request.accept_languages:  # highest quality first
        language = tag.partition("-")[0].lower()
        if quality > 0 and language in LANGUAGES:
            return language
    return "en"


def text_direction(tag: str) -> str:
    """Return a language's direction: `ltr` or `rtl`."""
    return "rtl" if tag in _RIGHT_TO_LEFT else "ltr"
