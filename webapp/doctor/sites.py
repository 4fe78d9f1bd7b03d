"""`freshet doctor --key fpk_…`: which of the three checks of a key refuses a site, or what lies between hides from it."""

from __future__ import annotations

import http.client

import msgspec

from webapp.doctor.probes import Target
from webapp.publishable_keys import is_listed


class SiteCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a site reaches the server: whether it is let in, and what stands in the way."""

    name: str
    is_admitted: bool
    why: str = ""


def check_site(target: Target, key: str, site: str) -> list[SiteCheck]:
    """Ask a server, as a page of `site` would, what its key allows. Raises nothing."""
    return [_check_cors(target, site), _check_frame(target, key, site), _check_socket(target, site)]


def _check_cors(target: Target, site: str) -> SiteCheck:
    name = "CORS: its pages may read responses"
    headers = {"Origin": site, "Access-Control-Request-Method": "POST"}
    try:
        reply = target.request("OPTIONS", "/stream", headers)
    except (OSError, http.client.HTTPException) as error:
        return SiteCheck(
            name=name, is_admitted=False, why=f"the server cannot be reached ({type(error).__name__})"
        )
    if reply.status == 403:
        return SiteCheck(name=name, is_admitted=False, why=f"no key lists {site}")
    if reply.headers.get("access-control-allow-origin") != site:
        why = f"the answer {reply.status} to a preflight lost Access-Control-Allow-Origin on its way"
        return SiteCheck(name=name, is_admitted=False, why=why)
    return SiteCheck(name=name, is_admitted=True)


def _check_frame(target: Target, key: str, site: str) -> SiteCheck:
    name = "frame-ancestors: it may show /embed in a frame"
    try:
        reply = target.request("GET", f"/embed?key={key}", {})
    except (OSError, http.client.HTTPException) as error:
        return SiteCheck(
            name=name, is_admitted=False, why=f"the server cannot be reached ({type(error).__name__})"
        )
    if reply.status != 200:
        return SiteCheck(name=name, is_admitted=False, why="the key is unknown, or was revoked")
    policy = reply.headers.get("content-security-policy", "")
    listed = next(
        (part.split()[1:] for part in policy.split(";") if part.split()[:1] == ["frame-ancestors"]), None
    )
    if listed is None or "x-frame-options" in reply.headers:
        why = "something between has replaced Content-Security-Policy, or added X-Frame-Options"
        return SiteCheck(name=name, is_admitted=False, why=why)
    if not is_listed(site, listed):
        return SiteCheck(name=name, is_admitted=False, why=f"the key does not list {site}")
    return SiteCheck(name=name, is_admitted=True)


def _check_socket(target: Target, site: str) -> SiteCheck:
    name = "WebSocket: its pages may connect"
    status, has_pong = target.upgrade(site)
    if status == 403:
        return SiteCheck(name=name, is_admitted=False, why=f"no key lists {site}")
    if status != 101 or not has_pong:
        why = f"the upgrade was answered with {status or 'nothing'}: examine the address without --key"
        return SiteCheck(name=name, is_admitted=False, why=why)
    return SiteCheck(name=name, is_admitted=True)
