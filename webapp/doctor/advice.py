"""The line to change for each finding, in the configuration of each proxy."""

from __future__ import annotations

from collections.abc import Mapping

from webapp.doctor.findings import Code, Finding

PROXIES = ("nginx", "Caddy", "Traefik", "Cloudflare", "Heroku")

_BY_ITSELF = "does so by itself; look for another proxy before or behind it"
# `{header}` is the header's name, `{variable}` nginx's variable for it, `{prefix}` the path of the address.
_LINES: Mapping[Code, tuple[str, str, str, str, str]] = {
    "buffered": (
        "proxy_buffering off; proxy_http_version 1.1;  # and no proxy_ignore_headers X-Accel-Buffering",
        "reverse_proxy … {{ flush_interval -1 }}  # and no response_buffers",
        "remove the middleware `buffering` from the router",
        "Configuration Rules: response_body_buffering none (streams pass by themselves otherwise)",
        "its router streams; look for a proxy in the dyno, such as the nginx buildpack's",
    ),
    "compressed": (
        "gzip off;  # and brotli off; zstd off; or leave text/event-stream out of gzip_types",
        "@pages not path /stream* /v1/* /ai-sdk/* /doctor*    encode @pages gzip",
        "middleware compress: excludedContentTypes: [text/event-stream]",
        "Compression Rules: disable compression for this host name",
        "its router does not compress; look for a proxy in the dyno",
    ),
    "cut": (
        "proxy_read_timeout 1h;",
        "reverse_proxy … {{ transport http {{ read_timeout 0 }} }}  # the default",
        "entryPoints.NAME.transport.respondingTimeouts.writeTimeout=0 and idleTimeout=1h",
        "cuts at 100 s; outside Enterprise that is fixed: keep FRESHET_HEARTBEAT_S=10",
        "cuts at 55 s, which is fixed: keep FRESHET_HEARTBEAT_S=10",
    ),
    "ended": (
        "nginx has no such limit; look at the load balancer before it",
        "servers {{ timeouts {{ write 0 }} }}  # in the global options",
        "entryPoints.NAME.transport.respondingTimeouts.writeTimeout=0",
        "Cloudflare has no such limit for streams; look at what is behind it",
        "Heroku has no such limit; look at what is before it",
    ),
    "upgrade": (
        "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;"
        "  # map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}",
        "reverse_proxy passes them; remove header_up lines for Connection and Upgrade",
        "passes them; remove middlewares that set the header Connection, and `buffering`",
        "Network: WebSockets on",
        "passes them; look for a proxy in the dyno",
    ),
    "header": (
        'proxy_set_header {header} {variable};  # instead of proxy_set_header {header} "…";',
        "remove `header_up -{header}`",
        'middleware headers: remove customRequestHeaders.{header}=""',
        "Transform Rules: remove the rule that removes {header}",
        "passes it; look for a proxy before the router or in the dyno",
    ),
    "host": (
        "proxy_set_header Host $http_host;",
        "reverse_proxy … {{ header_up Host {{host}} }}  # the default",
        "services.NAME.loadBalancer.passHostHeader=true",
        "Origin Rules: remove the override of the Host header",
        _BY_ITSELF,
    ),
    "https": (
        "proxy_set_header X-Forwarded-Proto $scheme;  # and FRESHET_TRUSTED_PROXIES=the proxy's address",
        "sends it; set FRESHET_TRUSTED_PROXIES to its address",
        "sends it; set FRESHET_TRUSTED_PROXIES to its address",
        "sends it; set FRESHET_TRUSTED_PROXIES to its networks, or to the proxy behind it",
        "sends it; unset FRESHET_TRUSTED_PROXIES, or name the router's network there",
    ),
    "untrusted": (
        "FRESHET_TRUSTED_PROXIES=127.0.0.1  # nginx's address as the server sees it",
        "FRESHET_TRUSTED_PROXIES=127.0.0.1  # Caddy's address as the server sees it",
        "FRESHET_TRUSTED_PROXIES=172.16.0.0/12  # Traefik's network",
        "FRESHET_TRUSTED_PROXIES=the networks of https://www.cloudflare.com/ips/",
        "trusted by itself where DYNO is set and FRESHET_TRUSTED_PROXIES is not",
    ),
    "prefix_kept": (
        "location {prefix}/ {{ proxy_pass http://127.0.0.1:8000/; … }}  # the slash at its end strips {prefix}; or start the server with SCRIPT_NAME={prefix}",
        "handle_path {prefix}/* {{ reverse_proxy 127.0.0.1:8000 {{ header_up X-Forwarded-Prefix {prefix} }} }}",
        "middlewares.NAME.stripPrefix.prefixes={prefix}",
        "Transform Rules: rewrite the path without {prefix}; or start the server with SCRIPT_NAME={prefix}",
        "heroku config:set SCRIPT_NAME={prefix}",
    ),
    "prefix_untold": (
        "proxy_set_header X-Forwarded-Prefix {prefix};  # and FRESHET_TRUSTED_PROXIES=the proxy's address",
        "header_up X-Forwarded-Prefix {prefix}  # and FRESHET_TRUSTED_PROXIES=the proxy's address",
        "stripPrefix sends it; set FRESHET_TRUSTED_PROXIES to its address",
        "Transform Rules: set the request header X-Forwarded-Prefix to {prefix}",
        "heroku config:set SCRIPT_NAME={prefix}  # and do not strip it",
    ),
}


def advise(finding: Finding, prefix: str) -> dict[str, str]:
    """Return the line to change, by proxy; empty where no proxy is the cause."""
    lines = _LINES.get(finding.code)
    if lines is None:
        return {}
    variable = "$http_" + finding.header.lower().replace("-", "_")
    values = {"header": finding.header, "variable": variable, "prefix": prefix}
    return {proxy: line.format(**values) for proxy, line in zip(PROXIES, lines, strict=True)}


def recognize(headers: Mapping[str, str]) -> str | None:
    """Return the proxy that a response's headers show, by lower-case name; None if they show none of `PROXIES`."""
    server, via = headers.get("server", "").lower(), headers.get("via", "").lower()
    if "cf-ray" in headers or server == "cloudflare":
        return "Cloudflare"
    if "caddy" in server or "caddy" in via:
        return "Caddy"
    if server.startswith(("nginx", "openresty")):
        return "nginx"
    if "heroku" in server or "heroku" in via or "vegur" in via:
        return "Heroku"
    return None
