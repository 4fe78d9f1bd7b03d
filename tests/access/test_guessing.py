"""Password guessing is throttled by address (IPv6: by /64) without locking out the user."""

from collections.abc import Iterator

import pytest

from tests.access.conftest import make_server
from tests.access.device import PASSWORD, Device
from tests.support.fake_provider import FakeProvider
from tests.support.server import Server

TRIES = 8


@pytest.fixture
def server(provider: FakeProvider) -> Iterator[Server]:
    """Yield a server that trusts the test as a proxy, so that clients can have any address."""
    with make_server(
        provider, FRESHET_ACCESS_PASSWORD=PASSWORD, FRESHET_TRUSTED_PROXIES="127.0.0.1"
    ) as running:
        yield running


def device_at(server: Server, address: str) -> Device:
    return Device(server.address, {"X-Forwarded-For": address})


def guess(server: Server, addresses: list[str], count: int) -> list[int]:
    return [
        device_at(server, addresses[number % len(addresses)]).sign_in(f"guess {number}")
        for number in range(count)
    ]


def test_all_addresses_of_an_ipv6_network_count_as_one(server: Server) -> None:
    addresses = [f"2001:db8:1:2::{number:x}" for number in range(1, 201)]
    statuses = guess(server, addresses, 200)
    assert statuses == [401] * TRIES + [429] * (200 - TRIES)
    assert device_at(server, "2001:db8:1:3::1").sign_in() == 303, "another network is not affected"
    assert device_at(server, "203.0.113.1").sign_in() == 303
    assert device_at(server, "2001:db8:1:2::ffff").sign_in() == 429, (
        "past the limit even the right password is refused"
    )


def test_distributed_guesses_lock_nobody_out(server: Server) -> None:
    statuses = guess(server, [f"198.51.{number // 250}.{number % 250}" for number in range(500)], 500)
    assert set(statuses) == {401}
    assert device_at(server, "203.0.113.1").sign_in() == 303
    program = Device(
        server.address, {"X-Forwarded-For": "203.0.113.2", "Authorization": f"Bearer {PASSWORD}"}
    )
    assert program.conversation_ids() == set()


def test_known_browsers_are_throttled_separately(server: Server) -> None:
    address = "203.0.113.7"
    person = device_at(server, address)
    assert person.sign_in() == 303
    assert set(guess(server, [address], 20)[TRIES:]) == {429}
    assert person.conversation_ids() == set(), "the session stays valid"
    assert person.ask() == "Hello"
    person.sign_out()
    assert "freshet-browser" in person.cookies
    assert person.sign_in("mistyped") == 401
    assert person.sign_in() == 303, "a known browser can sign in again"
    assert device_at(server, address).sign_in() == 429


def test_a_known_browser_is_throttled_too(server: Server) -> None:
    person = device_at(server, "203.0.113.8")
    assert person.sign_in() == 303
    person.sign_out()
    assert [person.sign_in(f"guess {number}") for number in range(TRIES + 2)] == [401] * TRIES + [429] * 2
    assert device_at(server, "203.0.113.8").sign_in() == 303, "others at its address are not affected"


def test_a_forged_browser_cookie_counts_for_the_address(server: Server) -> None:
    statuses = []
    for number in range(TRIES + 2):
        guesser = device_at(server, "203.0.113.9")
        guesser.cookies["freshet-browser"] = f"IkFBQUFBQUFBQUFBQUFBQUFBQUFBQUEi.{number:06d}.{'A' * 43}"
        statuses.append(guesser.sign_in(f"guess {number}"))
    assert statuses == [401] * TRIES + [429] * 2


def test_forged_headers_do_not_allow_more_guesses(provider: FakeProvider) -> None:
    """A private peer address alone does not make a proxy trusted."""
    with make_server(provider, FRESHET_ACCESS_PASSWORD=PASSWORD) as server:
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
