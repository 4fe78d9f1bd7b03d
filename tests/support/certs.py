"""Certificates for a fake provider: valid, expired, and from an untrusted authority."""

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """Server contexts, and the authority's file for a client's `SSL_CERT_FILE`."""

    ca_file: Path
    good: ssl.SSLContext
    expired: ssl.SSLContext
    untrusted: ssl.SSLContext
    wrong_name: ssl.SSLContext


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and its certificates; the authority's own is written into `folder`."""
    authority = trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    return Certificates(
        ca_file=ca_file,
        good=_context(authority.issue_cert(*NAMES)),
        expired=_context(authority.issue_cert(*NAMES, not_before=now - 9 * day, not_after=now - 2 * day)),
        untrusted=_context(trustme.CA().issue_cert(*NAMES)),
        wrong_name=_context(authority.issue_cert("elsewhere.example")),
    )


def _context(leaf: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context
