"""The doctor's lines to change: each finding that a proxy can cause has one for each proxy."""

from typing import get_args

import pytest

from webapp.doctor.advice import PROXIES, advise
from webapp.doctor.findings import Code, Finding

HEADER, PREFIX = "Last-Event-ID", "/chat"
# What the line of each of PROXIES must name: the directive, option or page where that proxy is told.
NAMED: dict[Code, tuple[str, str, str, str, str]] = {
    "buffered": (
        "proxy_buffering off;",
        "flush_interval -1",
        "buffering",
        "response_body_buffering",
        "in the dyno",
    ),
    "compressed": ("gzip off;", "encode @pages", "excludedContentTypes", "Compression Rules", "in the dyno"),
    "cut": ("proxy_read_timeout", "read_timeout 0", "idleTimeout", "100 s", "55 s"),
    "ended": ("load balancer", "timeouts { write 0 }", "writeTimeout=0", "behind it", "before it"),
    "upgrade": ("$connection_upgrade;", "header_up", "middlewares", "WebSockets on", "in the dyno"),
    "header": (
        "proxy_set_header Last-Event-ID $http_last_event_id;",
        "header_up -Last-Event-ID",
        "customRequestHeaders.Last-Event-ID",
        "removes Last-Event-ID",
        "the router",
    ),
    "host": (
        "proxy_set_header Host $http_host;",
        "header_up Host {host}",
        "passHostHeader=true",
        "Origin Rules",
        "by itself",
    ),
    "https": (
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "FRESHET_TRUSTED_PROXIES",
        "FRESHET_TRUSTED_PROXIES",
        "FRESHET_TRUSTED_PROXIES",
        "FRESHET_TRUSTED_PROXIES",
    ),
    "untrusted": (
        "FRESHET_TRUSTED_PROXIES=127.0.0.1",
        "FRESHET_TRUSTED_PROXIES=127.0.0.1",
        "FRESHET_TRUSTED_PROXIES=172.16.0.0/12",
        "cloudflare.com/ips",
        "DYNO",
    ),
    "prefix_kept": (
        "location /chat/",
        "handle_path /chat/*",
        "stripPrefix.prefixes=/chat",
        "SCRIPT_NAME=/chat",
        "config:set SCRIPT_NAME=/chat",
    ),
    "prefix_untold": (
        "proxy_set_header X-Forwarded-Prefix /chat;",
        "header_up X-Forwarded-Prefix /chat",
        "stripPrefix",
        "X-Forwarded-Prefix to /chat",
        "config:set SCRIPT_NAME=/chat",
    ),
}
# Findings about the address, the key or the server itself: no proxy's line would change them.
WITHOUT_LINES: set[Code] = {
    "unreachable",
    "not_freshet",
    "redirect",
    "locked",
    "no_key",
    "wrong_key",
    "origin",
    "failed",
}


def advice_for(code: Code) -> dict[str, str]:
    return advise(Finding(code=code, text="", header=HEADER), PREFIX)


def test_every_finding_has_lines_or_none() -> None:
    assert NAMED.keys() | WITHOUT_LINES == set(get_args(Code))
    assert not NAMED.keys() & WITHOUT_LINES
    for code in WITHOUT_LINES:
        assert advice_for(code) == {}, code


@pytest.mark.parametrize("code", NAMED)
@pytest.mark.parametrize("proxy", PROXIES)
def test_each_proxy_has_its_line(code: Code, proxy: str) -> None:
    line = advice_for(code)[proxy]
    assert NAMED[code][PROXIES.index(proxy)] in line
    assert "\n" not in line, "it is one line"
    assert not {"{header}", "{variable}", "{prefix}"} & set(line.split()), "every value is filled in"
    assert line.count("{") == line.count("}")
    assert "{{" not in line
