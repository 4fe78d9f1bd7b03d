"""`freshet doctor URL`: finds out what a proxy in front of a server does to its streams, and names the line to change."""

from __future__ import annotations

import argparse
import ssl

import msgspec

from webapp.doctor.advice import advise
from webapp.doctor.examination import Examination, examine
from webapp.doctor.probes import Target
from webapp.doctor.sites import check_site
from webapp.errors import ConfigurationError
from webapp.providers.http.client import create_tls_context
from webapp.publishable_keys import is_token, parse_origin
from webapp.wiring import read_settings

_MAX_SILENCE_S = 110.0
_ACCESS = ("no_key", "wrong_key")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "doctor",
        help="find out what a proxy in front of a server does to its streams",
        description="Exit code: 0 nothing is wrong, 1 something is, 2 the address or the key is wrong.",
    )
    parser.add_argument("url", help="the server's address as its users know it: https://chat.example.org/")
    parser.add_argument(
        "--key",
        help="the operator's key or the password (default: FRESHET_OPERATOR_KEY, else FRESHET_ACCESS_PASSWORD); or a publishable key, "
        "fpk_…, with --site",
    )
    parser.add_argument(
        "--site",
        metavar="ORIGIN",
        help="with a publishable key: a site such as https://example.com, to find out what refuses it",
    )
    parser.add_argument(
        "--silence",
        type=_silence,
        default=65.0,
        metavar="SECONDS",
        help="how long a silence to test (default: 65; at most 110); the command takes as long",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.set_defaults(run=run)


def _silence(text: str) -> float:
    seconds = float(text)
    if not 1 <= seconds <= _MAX_SILENCE_S:
        raise argparse.ArgumentTypeError(f"must be between 1 and {_MAX_SILENCE_S:g}")
    return seconds


def run(options: argparse.Namespace) -> int:
    """Examine an address and print the findings."""
    settings = read_settings()
    if is_token(options.key or "") or options.site:
        return _check_site(options, create_tls_context(settings.ssl_cert_file, settings.requests_ca_bundle))
    key = options.key or settings.operator_key or settings.access_password
    target = Target(options.url, key, create_tls_context(settings.ssl_cert_file, settings.requests_ca_bundle))
    if not options.json:
        print(f"Examining {target.url} for about {options.silence:g} s …", flush=True)
    examination = examine(target, options.silence)
    if options.json:
        print(msgspec.json.encode(_as_json(examination, target.prefix)).decode())
    else:
        _show(examination, target.prefix)
    codes = [finding.code for finding in examination.findings if not finding.is_note]
    if any(code in _ACCESS for code in codes):
        return 2
    return 1 if codes else 0


def _check_site(options: argparse.Namespace, context: ssl.SSLContext | None) -> int:
    """Print which of a key's checks admit a site."""
    if not is_token(options.key or "") or not options.site:
        raise ConfigurationError("name both: a publishable key by --key, and by --site the site that uses it")
    site = parse_origin(options.site, "--site")
    checks = check_site(Target(options.url, None, context), options.key, site)
    if options.json:
        print(msgspec.json.encode(checks).decode())
    for check in () if options.json else checks:
        print(f"{'ok   ' if check.is_admitted else 'WRONG'}  {check.name}{check.why and f': {check.why}'}")
    return 0 if all(check.is_admitted for check in checks) else 1


def _as_json(examination: Examination, prefix: str) -> object:
    findings = [
        {
            "code": finding.code,
            "severity": "note" if finding.is_note else "problem",
            "header": finding.header or None,
            "text": finding.text,
            "change": advise(finding, prefix),
        }
        for finding in examination.findings
    ]
    return {"proxy": examination.proxy, "findings": findings}


def _show(examination: Examination, prefix: str) -> None:
    for finding in examination.findings:
        print(f"\n{'note' if finding.is_note else 'WRONG'}  {finding.text}")
        lines = advise(finding, prefix)
        proxy = examination.proxy
        for name, line in lines.items():
            if proxy in (None, name):
                print(f"       {name}: {line}")
    if all(finding.is_note for finding in examination.findings):
        print("\nNothing is wrong between here and the server.")
