"""The names of cookies, and the signing of their values."""

import time

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from webapp.access import cookies
from webapp.access.cookies import NameSigner, cookie_name

SIGNER = NameSigner(lambda: "secret")
VISITOR = "A" * 22


def legacy_cookie(content: dict[str, object], secret: str = "secret") -> str:
    """Return a cookie as version 0.1 signed it."""
    app = Flask(__name__)
    app.secret_key = secret
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert serializer is not None
    signed = serializer.dumps(content)
    return signed if isinstance(signed, str) else signed.decode()


@pytest.mark.parametrize(
    ("secure", "path", "name"),
    [
        (False, "/", "freshet-session"),
        (False, "/chat", "freshet-session"),
        (True, "/", "__Host-freshet-session"),
        (True, "/chat", "__Secure-freshet-session"),
    ],
)
def test_a_secure_cookie_has_a_prefix(secure: bool, path: str, name: str) -> None:
    assert cookie_name(cookies.SESSION, secure=secure, path=path) == name


def test_a_signed_name_is_verified_with_its_age() -> None:
    found = SIGNER.verify(cookies.VISITOR, SIGNER.sign(cookies.VISITOR, VISITOR))
    assert found is not None
    assert found[0] == VISITOR
    assert abs(found[1]) < 5


def test_forged_and_foreign_values_are_refused() -> None:
    signed = SIGNER.sign(cookies.VISITOR, VISITOR)
    invalid = [
        None,
        "",
        VISITOR,
        signed[:-1],
        signed + "x",
        signed.swapcase(),
        "x" * 5_000,
        "\ud800",
        SIGNER.sign(cookies.BROWSER, VISITOR),  # another cookie's value
        NameSigner(lambda: "another").sign(cookies.VISITOR, VISITOR),
        SIGNER.sign(cookies.VISITOR, "short"),
        SIGNER.sign(cookies.VISITOR, "../../../../../../etc"),
    ]
    assert [SIGNER.verify(cookies.VISITOR, value) for value in invalid] == [None] * len(invalid)


@pytest.mark.parametrize("jump_s", [-86_400, 86_400])
def test_names_stay_valid_when_the_clock_jumps_by_a_day(jump_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = SIGNER.sign(cookies.VISITOR, VISITOR)
    old = legacy_cookie({"visitor": VISITOR})
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump_s)
    found = SIGNER.verify(cookies.VISITOR, signed)
    assert found is not None
    assert found[0] == VISITOR
    assert SIGNER.legacy_visitor(old) == VISITOR


def test_the_cookie_of_version_0_1_is_verified() -> None:
    assert (
        SIGNER.legacy_visitor(legacy_cookie({"_permanent": True, "visitor": VISITOR, "pass": "x"})) == VISITOR
    )
    for content in ({}, {"visitor": 5}, {"visitor": "a b"}):
        assert SIGNER.legacy_visitor(legacy_cookie(content)) is None
    assert SIGNER.legacy_visitor(legacy_cookie({"visitor": VISITOR}, secret="another")) is None
    assert SIGNER.legacy_visitor("forged.abc.def") is None


def test_the_cookie_of_version_0_1_expires_after_thirty_days(monkeypatch: pytest.MonkeyPatch) -> None:
    old = legacy_cookie({"visitor": VISITOR})
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 29 * 86_400)
    assert SIGNER.legacy_visitor(old) == VISITOR
    monkeypatch.setattr(time, "time", lambda: now() + 31 * 86_400)
    assert SIGNER.legacy_visitor(old) is None
