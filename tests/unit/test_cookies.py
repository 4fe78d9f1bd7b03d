"""The names of cookies and what is signed into them."""

import time

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from webapp.access import cookies
from webapp.access.cookies import Names, cookie_name

NAMES = Names(lambda: "secret")
VISITOR = "A" * 22


def former(content: dict[str, object], secret: str = "secret") -> str:
    """Sign a cookie as version 0.1 did it."""
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
def test_the_name_of_a_cookie(secure: bool, path: str, name: str) -> None:
    assert cookie_name(cookies.SESSION, secure=secure, path=path) == name


def test_a_signed_name_comes_back_with_its_age() -> None:
    found = NAMES.read(cookies.VISITOR, NAMES.sign(cookies.VISITOR, VISITOR))
    assert found is not None
    assert found[0] == VISITOR
    assert abs(found[1]) < 5


def test_what_is_not_ours_is_nobody() -> None:
    signed = NAMES.sign(cookies.VISITOR, VISITOR)
    wrong = [
        None,
        "",
        VISITOR,
        signed[:-1],
        signed + "x",
        signed.swapcase(),
        "x" * 5_000,
        "\ud800",
        NAMES.sign(cookies.BROWSER, VISITOR),  # a cookie of another use
        Names(lambda: "another").sign(cookies.VISITOR, VISITOR),
        NAMES.sign(cookies.VISITOR, "short"),
        NAMES.sign(cookies.VISITOR, "../../../../../../etc"),
    ]
    assert [NAMES.read(cookies.VISITOR, value) for value in wrong] == [None] * len(wrong)


@pytest.mark.parametrize("jump_s", [-86_400, 86_400])
def test_a_clock_that_jumps_a_day_makes_strangers_of_nobody(
    jump_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = NAMES.sign(cookies.VISITOR, VISITOR)
    old = former({"visitor": VISITOR})
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump_s)
    found = NAMES.read(cookies.VISITOR, signed)
    assert found is not None
    assert found[0] == VISITOR
    assert NAMES.former_visitor(old) == VISITOR


def test_the_cookie_of_version_0_1_is_read() -> None:
    assert NAMES.former_visitor(former({"_permanent": True, "visitor": VISITOR, "pass": "x"})) == VISITOR
    for content in ({}, {"visitor": 5}, {"visitor": "a b"}):
        assert NAMES.former_visitor(former(content)) is None
    assert NAMES.former_visitor(former({"visitor": VISITOR}, secret="another")) is None
    assert NAMES.former_visitor("forged.abc.def") is None


def test_and_no_longer_than_it_was_good_for(monkeypatch: pytest.MonkeyPatch) -> None:
    old = former({"visitor": VISITOR})
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 29 * 86_400)
    assert NAMES.former_visitor(old) == VISITOR
    monkeypatch.setattr(time, "time", lambda: now() + 31 * 86_400)
    assert NAMES.former_visitor(old) is None
