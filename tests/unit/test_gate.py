"""Who may come in: the whole truth table, before any work."""

import itertools

import msgspec
import pytest

from webapp.access.gate import Gate, Mode, Visit
from webapp.errors import Forbidden, NotSignedIn, Unavailable

BOUNDS = ["127.0.0.1", "0.0.0.0", ""]  # the last is a Unix socket, whose peer can be anybody's proxy
PASSWORD = "correct horse battery staple"


def gate(
    *,
    password: str | None = None,
    public: bool = False,
    only_mock: bool = False,
    origins: tuple[str, ...] = (),
    secret: str = "secret",
) -> Gate:
    return Gate(password=password, public=public, only_mock=only_mock, origins=origins, secret=secret)


def visit(
    bound: str = "0.0.0.0",
    host: str = "chat.example",
    *,
    forwarded: bool = False,
    origin: str | None = None,
    bearer: str | None = None,
    visitor: str | None = None,
    pass_: str | None = None,
    fetch_site: str | None = None,
    fetch_dest: str | None = None,
    prefetch: bool = False,
) -> Visit:
    return Visit(
        bound=bound,
        host=host,
        forwarded=forwarded,
        origin=origin,
        bearer=bearer,
        visitor=visitor,
        pass_=pass_,
        fetch_site=fetch_site,
        fetch_dest=fetch_dest,
        prefetch=prefetch,
    )


def expected(*, loopback: bool, password: bool, public: bool, only_mock: bool) -> Mode:
    if loopback:
        return "open"
    if password:
        return "password"
    return "public" if public or only_mock else "locked"


@pytest.mark.parametrize(
    ("bound", "host", "forwarded", "password", "public", "only_mock"),
    list(itertools.product(BOUNDS, ["localhost:8000", "chat.example"], *[[False, True]] * 4)),
)
def test_the_whole_truth_table(
    bound: str, host: str, forwarded: bool, password: bool, public: bool, only_mock: bool
) -> None:
    stands = gate(password=PASSWORD if password else None, public=public, only_mock=only_mock)
    loopback = bound == "127.0.0.1" and host == "localhost:8000" and not forwarded
    wanted = expected(loopback=loopback, password=password, public=public, only_mock=only_mock)
    assert stands.mode(visit(bound, host, forwarded=forwarded)) == wanted


@pytest.mark.parametrize("bound", ["127.0.0.1", "::1", "localhost"])
@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "LocalHost:80", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8000"],
)
def test_loopback_names_are_open(bound: str, host: str) -> None:
    assert gate().mode(visit(bound, host)) == "open"


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":8000",
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "localhost.evil.example:80",
        "127.0.0.1.evil.example",
        "localhost.",
        "localhost:80:80",
        "::1",
        "[::1",
        "[::1]evil",
        "[::2]:8000",
        "[::1]:80:80",
        "127.0.0.2",
        "127.1",
        "0.0.0.0",
        "2130706433",
        "evil@localhost",
        "localhost, evil.example",
    ],
)
def test_another_name_for_a_loopback_address_is_not_open(host: str) -> None:
    """A page elsewhere can make its own name mean 127.0.0.1; the Host header tells."""
    assert gate().mode(visit("127.0.0.1", host)) == "locked"


@pytest.mark.parametrize("bound", ["", "0.0.0.0", "::", "10.0.0.1", "192.168.0.2", "::ffff:127.0.0.1"])
def test_what_is_not_bound_to_loopback_is_not_open(bound: str) -> None:
    assert gate().mode(visit(bound, "localhost:8000")) == "locked"


def test_a_proxy_s_sign_closes_what_was_open() -> None:
    assert gate().mode(visit("127.0.0.1", "localhost", forwarded=True)) == "locked"


# Coming in.


def test_locked_is_503_and_says_which_setting() -> None:
    with pytest.raises(Unavailable, match="FRESHET_ACCESS_PASSWORD") as refused:
        gate().admit(visit(bearer="anything", pass_=gate().proof()))
    assert (refused.value.status, refused.value.code) == (503, "locked")
    assert refused.value.retry_after_s


@pytest.mark.parametrize("bearer", [None, "", "wrong", PASSWORD + " ", PASSWORD.upper(), "é\ufffd"])
def test_without_the_password_nobody_comes_in(bearer: str | None) -> None:
    with pytest.raises(NotSignedIn) as refused:
        gate(password=PASSWORD).admit(visit(bearer=bearer))
    assert refused.value.status == 401


def test_the_password_as_a_bearer_token() -> None:
    owner = gate(password=PASSWORD).admit(visit(bearer=PASSWORD))
    assert owner is not None
    assert owner.startswith("key:")
    assert PASSWORD not in owner


def test_a_signed_in_visitor_comes_in_until_the_password_changes() -> None:
    stands = gate(password=PASSWORD)
    assert stands.admit(visit(visitor="v", pass_=stands.proof())) == "visitor:v"
    for other in (gate(password="another"), gate(password=PASSWORD, secret="another")):
        with pytest.raises(NotSignedIn):
            other.admit(visit(visitor="v", pass_=stands.proof()))


def test_a_wrong_bearer_is_not_saved_by_a_cookie() -> None:
    stands = gate(password=PASSWORD)
    with pytest.raises(NotSignedIn):
        stands.admit(visit(bearer="wrong", pass_=stands.proof()))


@pytest.mark.parametrize("word", ["", None])
def test_no_password_is_never_the_right_one(word: str | None) -> None:
    assert not gate(password=None).is_password(word or "")
    assert not gate(password="").is_password(word or "")


def test_owners() -> None:
    stands = gate(public=True)
    assert stands.admit(visit()) is None
    assert stands.admit(visit(visitor="v")) == "visitor:v"
    one, other = stands.admit(visit(bearer="one", visitor="v")), stands.admit(visit(bearer="other"))
    assert one is not None
    assert one.startswith("key:")
    assert one != other
    assert one == stands.admit(visit(bearer="one"))


# Other sites.


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "chat.example"),
        ("https://chat.example", "chat.example"),
        ("http://chat.example", "chat.example"),
        ("https://chat.example:443", "chat.example"),
        ("https://chat.example", "chat.example:443"),
        ("http://chat.example:80", "chat.example"),
        ("http://localhost:8000", "localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("http://[::1]", "[::1]"),
        ("HTTPS://Chat.Example", "CHAT.example"),
    ],
)
def test_our_own_page_is_no_other_site(origin: str | None, host: str) -> None:
    assert gate().cross_origin(visit(host=host, origin=origin)) is None


FOREIGN = [
    "null",
    "NULL",
    "",
    "https://evil.example",
    "https://chat.example:8443",
    "http://chat.example:443",
    "https://chat.example.evil.example",
    "https://evil.example/chat.example",
    "https://sub.chat.example",
    "https://user@chat.example",
    "chat.example",
    "http://[",
    "http://[::1]:8000",
    "file://",
    "chrome-extension://abcdef",
    "https://other.example",
]


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_foreign_site_is_refused(origin: str) -> None:
    with pytest.raises(Forbidden) as refused:
        gate(public=True, origins=("https://blog.example",)).cross_origin(visit(origin=origin))
    assert (refused.value.status, refused.value.code) == (403, "origin")


@pytest.mark.parametrize("origin", ["https://blog.example", "https://BLOG.example"])
def test_an_allowed_site_is_named_as_it_named_itself(origin: str) -> None:
    assert gate(origins=("https://blog.example",)).cross_origin(visit(origin=origin)) == origin


@pytest.mark.parametrize("origin", ["http://blog.example", "https://blog.example:8443", "null"])
def test_an_allowed_site_is_allowed_exactly(origin: str) -> None:
    with pytest.raises(Forbidden):
        gate(origins=("https://blog.example",)).cross_origin(visit(origin=origin))


def test_a_star_allows_every_site_but_null() -> None:
    stands = gate(origins=("*",))
    assert stands.cross_origin(visit(origin="https://any.example")) == "https://any.example"
    with pytest.raises(Forbidden):
        stands.cross_origin(visit(origin="null"))


# A GET that starts.

STARTS = [
    (None, None, None),
    ("same-origin", "empty", None),
    ("same-origin", None, None),
    ("cross-site", "empty", "https://blog.example"),
    ("same-site", "empty", "https://blog.example"),
]
STARTS_NOT = [
    ("cross-site", "empty", None),
    ("same-site", "empty", None),
    ("none", "empty", None),
    ("none", "document", None),
    ("same-origin", "document", None),
    *[
        ("same-origin", dest, None)
        for dest in ("image", "script", "style", "iframe", "video", "embed", "track")
    ],
    ("cross-site", "image", "https://blog.example"),
    (None, "image", None),
    ("nonsense", "empty", None),
]


@pytest.mark.parametrize(("site", "dest", "allowed"), STARTS)
def test_a_get_starts(site: str | None, dest: str | None, allowed: str | None) -> None:
    gate().check_get_start(visit(fetch_site=site, fetch_dest=dest), allowed)


@pytest.mark.parametrize(("site", "dest", "allowed"), STARTS_NOT)
def test_a_get_starts_not(site: str | None, dest: str | None, allowed: str | None) -> None:
    with pytest.raises(Forbidden) as refused:
        gate().check_get_start(visit(fetch_site=site, fetch_dest=dest), allowed)
    assert refused.value.code == "fetch"


@pytest.mark.parametrize(("site", "dest", "allowed"), STARTS)
def test_a_prefetch_never_starts(site: str | None, dest: str | None, allowed: str | None) -> None:
    with pytest.raises(Forbidden):
        gate().check_get_start(visit(fetch_site=site, fetch_dest=dest, prefetch=True), allowed)


def test_a_get_with_half_of_a_browsers_headers_starts_not() -> None:
    seen = msgspec.structs.replace(visit(fetch_dest="empty"), fetched=True)
    with pytest.raises(Forbidden):
        gate().check_get_start(seen, None)
    gate().check_get_start(seen, "https://blog.example")
