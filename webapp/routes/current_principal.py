"""The principal, owner, visit and address of the current request, and how a visit is resolved to a principal."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from flask import g, request

from webapp.access import cookies
from webapp.access.addresses import network_of
from webapp.access.gate import Visit
from webapp.access.principals import SOLE_USER, Principal, owner_of, require_owner
from webapp.access.visitor_tokens import is_visitor_token
from webapp.errors import Forbidden, NotSignedIn, Unavailable
from webapp.routes.visits import visit_of
from webapp.services import services

_PASSWORD_NEEDED = "A password is needed: sign in, or send it as a bearer token."  # noqa: S105
_OPERATOR_NEEDED = (
    "This is for the server's operator: send FRESHET_OPERATOR_KEY, or the password, as a bearer token."
)


def current_visit() -> Visit:
    """Return the visit of the current request, which is parsed once."""
    visit: Visit | None = g.get("visit")
    if visit is None:
        visit = g.visit = visit_of(request)
    return visit


def current_principal() -> Principal:
    """Return the principal that the current request was admitted as."""
    principal: Principal = g.principal
    return principal


def current_owner() -> str | None:
    """Return the owner that the current request was admitted as; None for a caller that owns nothing."""
    return current_principal().owner


def require_current_owner() -> str:
    """Return the owner of what the current request reads or changes. Raises as `require_owner`."""
    return require_owner(current_principal())


def current_address() -> str:
    """Return the address that the current request counts against; see `addresses.network_of`."""
    return network_of(current_visit().client)


def resolve_principal(visit: Visit) -> Principal:
    """Return the principal of a visit. No other code decides this.

    Raises `Unavailable` when the server is locked or the session database is unreachable, `NotSignedIn` where a
    password is needed, and `TooManyRequests` after too many wrong ones.
    """
    gate = services().gate
    gate.check_unlocked(visit)
    address = network_of(visit.client)
    if visit.bearer is not None and is_visitor_token(visit.bearer):
        return _site_visitor(visit, visit.bearer, address)
    if visit.key is not None:
        return _unnamed_site_visitor(visit, visit.key, address)
    if visit.needs_key:
        raise _wrong_site(visit)
    match gate.mode(visit):
        case "local":
            return Principal(kind="user", name=SOLE_USER, address=address, is_counted=False)
        case "password" if visit.bearer is not None:
            _check_token(visit.bearer, address, gate.is_password)
            return Principal(kind="user", name=SOLE_USER, address=address)
        case "password":
            return _session_principal(visit.session, address)
        case _:
            return _visitor_principal(visit, address)


def resolve_operator(visit: Visit) -> Principal:
    """Return the principal of a visit by the operator: with the operator's key, or the user of local or password mode.

    Raises as `resolve_principal`: for everybody else `NotSignedIn`.
    """
    gate = services().gate
    gate.check_unlocked(visit)
    if visit.bearer is not None and gate.mode(visit) != "local":
        address = network_of(visit.client)
        _check_token(
            visit.bearer,
            address,
            lambda token: gate.is_operator_key(token) or gate.is_password(token),
            NotSignedIn("The operator's key is wrong.", code="wrong_key"),
        )
        return Principal(kind="user", name=SOLE_USER, address=address)
    if gate.mode(visit) == "public" or (gate.mode(visit) == "password" and not visit.session):
        raise NotSignedIn(_OPERATOR_NEEDED, code="no_key")
    caller = resolve_principal(visit)
    if caller.key is not None:
        raise NotSignedIn(_OPERATOR_NEEDED, code="no_key")
    return caller


def resolve_with_token(visit: Visit, token: str | None) -> Principal:
    """Return the principal of a visit whose token came in the first WebSocket message. Raises as `resolve_principal`."""
    return resolve_principal(msgspec.structs.replace(visit, bearer=token or None))


def visitor_of(visit: Visit) -> str | None:
    """Return the visitor named by a visit's signed cookie, also by the cookie of version 0.1.

    Raises `Unavailable` if there is a cookie and the signing secret cannot be loaded.
    """
    signer = services().name_signer
    if visit.visitor:
        signed = signer.verify(cookies.VISITOR, visit.visitor)
        if signed is not None:
            return signed[0]
    return signer.legacy_visitor(visit.legacy) if visit.legacy else None


def movable_owner(visit: Visit) -> str | None:
    """Return the owner whose conversations a user may take over: the visitor of the same browser."""
    name = visitor_of(visit)
    return None if name is None else owner_of("visitor", name)


def _site_visitor(visit: Visit, token: str, address: str) -> Principal:
    """Return the principal of a visitor of another site, or of the page that such a site shows in a frame."""
    parts = services()
    visitor = parts.visitor_tokens.verify(token)
    key = visitor.key
    if visit.origin is not None and visit.origin.lower() != visitor.origin:
        raise Forbidden("The token was issued for another site.", param="origin", code="token_origin")
    if not key.admits(visitor.origin) and not parts.gate.is_own(visitor.origin, visit):
        raise _wrong_site(visit)
    if key.profile.signed_only and not visitor.is_signed:
        raise NotSignedIn("Sign in at the site first.", code="sign_in_at_site")
    parts.keys.watch(parts.runs.open_keys, parts.runs.revoke_keys)
    return Principal(kind="key", name=visitor.name, address=address, key=key)


def _unnamed_site_visitor(visit: Visit, token: str, address: str) -> Principal:
    """Return the principal of a request with a key in its address: it comes from a site of the key, and owns nothing."""
    parts = services()
    found = parts.keys.find(token)
    if found is None:
        raise NotSignedIn("The key is unknown, or was revoked.", param="key", code="key_revoked")
    key, _ = found
    if visit.origin is None or not key.admits(visit.origin):
        raise _wrong_site(visit)
    if key.profile.signed_only:
        raise NotSignedIn("Sign in at the site first.", code="sign_in_at_site")
    parts.keys.watch(parts.runs.open_keys, parts.runs.revoke_keys)
    return Principal(kind="key", name=None, address=address, key=key)


def _wrong_site(visit: Visit) -> Forbidden:
    return Forbidden(
        f"The key does not list {(visit.origin or 'a program without an Origin')[:200]}: its operator adds sites with freshet keys.",
        param="origin",
        code="origin",
    )


def _visitor_principal(visit: Visit, address: str) -> Principal:
    try:
        return Principal(kind="visitor", name=visitor_of(visit), address=address)
    except Unavailable:  # chatting without storage needs no name
        return Principal(kind="visitor", name=None, address=address, is_unverified=True)


def _session_principal(token: str | None, address: str) -> Principal:
    if not token:
        raise NotSignedIn(_PASSWORD_NEEDED)
    parts = services()
    session = parts.sessions.find(token)
    parts.sessions.watch(parts.runs.open_sessions, parts.runs.sign_out)
    return Principal(kind="user", name=session.user, address=address, session=session.id)


def _check_token(
    token: str, address: str, is_right: Callable[[str], bool], refusal: NotSignedIn | None = None
) -> None:
    """Check a bearer token, unless the address has sent too many wrong ones.

    Raises `NotSignedIn` and `TooManyRequests`.
    """
    if not services().throttle.verify(address, token, is_right, time.monotonic()):
        raise refusal or NotSignedIn(_PASSWORD_NEEDED)
