"""Guessing passwords: by address, IPv6 by /64, and never at the cost of those who know the right one."""

from collections.abc import Iterator

import pytest

from tests.access.conftest import made
from tests.access.device import PASSWORD, Device
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

TRIES = 8


@pytest.fixture
def server(provider: FakeProvider) -> Iterator[Server]:
    """A server behind a trusted proxy, so that a test can come from anywhere."""
    with made(provider, FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="127.0.0.1") as running:
        yield running


def at(server: Server, address: str) -> Device:
    return Device(server.address, {"X-Forwarded-For": address})


def guesses(server: Server, addresses: list[str], count: int) -> list[int]:
    return [
        at(server, addresses[number % len(addresses)]).sign_in(f"guess {number}") for number in range(count)
    ]


def test_two_hundred_addresses_of_one_network_are_one(server: Server) -> None:
    addresses = [f"2001:db8:1:2::{number:x}" for number in range(1, 201)]
    statuses = guesses(server, addresses, 200)
    assert statuses == [401] * TRIES + [429] * (200 - TRIES)
    assert at(server, "2001:db8:1:3::1").sign_in() == 303, "the right password passes from elsewhere"
    assert at(server, "203.0.113.1").sign_in() == 303
    assert at(server, "2001:db8:1:2::ffff").sign_in() == 429, "past the limit nothing is even read"


def test_guesses_from_everywhere_lock_nobody_out(server: Server) -> None:
    statuses = guesses(server, [f"198.51.{number // 250}.{number % 250}" for number in range(500)], 500)
    assert set(statuses) == {401}
    assert at(server, "203.0.113.1").sign_in() == 303
    program = Device(
        server.address, {"X-Forwarded-For": "203.0.113.2", "Authorization": f"Bearer {PASSWORD}"}
    )
    assert program.listed() == set()


def test_sessions_and_browsers_that_have_signed_in_are_counted_apart(server: Server) -> None:
    address = "203.0.113.7"
    person = at(server, address)
    assert person.sign_in() == 303
    assert set(guesses(server, [address], 20)[TRIES:]) == {429}
    assert person.listed() == set(), "a session goes on"
    assert person.ask() == "Hello"
    person.sign_out()
    assert "freshet-browser" in person.cookies
    assert person.sign_in("mistyped") == 401
    assert person.sign_in() == 303, "and so does signing in again in the same browser"
    assert at(server, address).sign_in() == 429


def test_a_browser_that_has_signed_in_may_not_guess_for_ever(server: Server) -> None:
    person = at(server, "203.0.113.8")
    assert person.sign_in() == 303
    person.sign_out()
    assert [person.sign_in(f"guess {number}") for number in range(TRIES + 2)] == [401] * TRIES + [429] * 2
    assert at(server, "203.0.113.8").sign_in() == 303, "nor does it lock out the others of its address"


def test_a_forged_browser_is_its_address(server: Server) -> None:
    statuses = []
    for number in range(TRIES + 2):
        guesser = at(server, "203.0.113.9")
        guesser.cookies["freshet-browser"] = f"IkFBQUFBQUFBQUFBQUFBQUFBQUFBQUEi.{number:06d}.{'A' * 43}"
        statuses.append(guesser.sign_in(f"guess {number}"))
    assert statuses == [401] * TRIES + [429] * 2


def test_forged_headers_make_no_more_guesses(provider: FakeProvider) -> None:
    """On a LAN or on loopback, where a private address once was a proxy."""
    with made(provider, FRESHET_ACCESS_PASSWORD=PASSWORD) as server:
        statuses = []
        for number in range(TRIES + 4):
            guesser = Device(
                server.address,
                {
                    "X-Forwarded-For": f"203.0.113.{number}",
                    "X-Real-IP": f"203.0.113.{number}",
                    "Forwarded": "for=x",
                },
            )
            statuses.append(guesser.sign_in(f"guess {number}"))
        assert statuses == [401] * TRIES + [429] * 4
