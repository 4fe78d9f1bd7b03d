"""Sign-in sessions: verified, remembered while the database is away, ended from anywhere."""

from collections.abc import Sequence

import pytest

from webapp.access import sessions
from webapp.access.sessions import Sessions, device_of
from webapp.errors import NotSignedIn, Unavailable
from webapp.seams import SignInSession


class Rows:
    """Sessions in memory, which can be away."""

    def __init__(self) -> None:
        self.by_digest: dict[str, SignInSession] = {}
        self.away = False
        self.looked = 0
        self.touched: list[str] = []

    def _check(self) -> None:
        if self.away:
            raise Unavailable("away", code="store_away")

    def add(self, digest: str, session: SignInSession, replaced: str | None) -> None:
        self._check()
        self.by_digest.pop(replaced or "", None)
        self.by_digest[digest] = session

    def find(self, digest: str) -> SignInSession | None:
        self._check()
        self.looked += 1
        return self.by_digest.get(digest)

    def listed(self, user: str) -> Sequence[SignInSession]:
        return [session for session in self.by_digest.values() if session.user == user]

    def end(self, user: str, ended: Sequence[str] | None, kept: str | None = None) -> list[str]:
        self._check()
        gone = {
            digest: session.id
            for digest, session in self.by_digest.items()
            if session.user == user and (session.id in ended if ended is not None else session.id != kept)
        }
        for digest in gone:
            del self.by_digest[digest]
        return list(gone.values())

    def alive(self, chosen: Sequence[str]) -> list[str]:
        self._check()
        return [session.id for session in self.by_digest.values() if session.id in chosen]

    def touch(self, used: Sequence[str]) -> None:
        self._check()
        self.touched += used


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(sessions.time, "monotonic", made)
    return made


@pytest.fixture
def made(rows: Rows, clock: Clock) -> Sessions:
    return Sessions(rows, lambda: "credential")


def test_a_token_is_long_and_is_stored_nowhere(made: Sessions, rows: Rows) -> None:
    token = made.begin("owner", "Firefox", None)
    assert len(token) >= 43
    assert token not in str(rows.by_digest)
    assert made.find(token).device == "Firefox"


@pytest.mark.parametrize("token", ["", "x", "x" * 5_000, "\x00"])
def test_an_unknown_token_is_not_signed_in(made: Sessions, token: str) -> None:
    made.begin("owner", "", None)
    with pytest.raises(NotSignedIn):
        made.find(token)


def test_signing_in_again_ends_the_session_of_before(made: Sessions) -> None:
    first = made.begin("owner", "", None)
    made.find(first)
    second = made.begin("owner", "", first)
    assert second != first
    made.find(second)
    with pytest.raises(NotSignedIn):
        made.find(first)


def test_another_password_ends_every_session(rows: Rows, clock: Clock) -> None:
    word = ["first"]
    made = Sessions(rows, lambda: word[0])
    token = made.begin("owner", "", None)
    made.find(token)
    word[0] = "second"
    clock.now += 2
    with pytest.raises(NotSignedIn):
        made.find(token)
    assert made.listed("owner") == []


def test_a_session_is_looked_up_once_a_second(made: Sessions, rows: Rows, clock: Clock) -> None:
    token = made.begin("owner", "", None)
    for _ in range(10):
        made.find(token)
    assert rows.looked == 1
    clock.now += 1.1
    made.find(token)
    assert rows.looked == 2


def test_while_the_database_is_away_it_stays_valid_for_fifteen_minutes(
    made: Sessions, rows: Rows, clock: Clock
) -> None:
    token, other = made.begin("owner", "", None), made.begin("owner", "", None)
    made.find(token)
    rows.away = True
    for _ in range(14):
        clock.now += 60
        assert made.find(token).user == "owner"
    with pytest.raises(Unavailable):
        made.find(other)  # this worker has never verified it
    clock.now += 61
    with pytest.raises(Unavailable):
        made.find(token)
    with pytest.raises(Unavailable):
        made.begin("owner", "", None)
    rows.away = False
    assert made.find(token).user == "owner"


def test_ending_one_and_ending_the_others(made: Sessions) -> None:
    tokens = [made.begin("owner", "", None) for _ in range(4)]
    ids = [made.find(token).id for token in tokens]
    assert made.end("owner", ids[0])
    assert not made.end("owner", ids[0])
    assert not made.end("somebody", ids[1]), "nobody else's"
    with pytest.raises(NotSignedIn):
        made.find(tokens[0])
    assert sorted(made.end_others("owner", ids[1])) == sorted(ids[2:])
    made.find(tokens[1])
    for token in tokens[2:]:
        with pytest.raises(NotSignedIn):
            made.find(token)


def test_what_has_ended_elsewhere_is_noticed(made: Sessions, rows: Rows) -> None:
    tokens = [made.begin("owner", "", None) for _ in range(2)]
    ids = [made.find(token).id for token in tokens]
    reported: list[set[str]] = []
    made.look(set(ids), reported.append)
    assert reported == []
    rows.end("owner", [ids[0]])
    made.look(set(ids), reported.append)
    assert reported == [{ids[0]}]
    with pytest.raises(NotSignedIn):
        made.find(tokens[0])


def test_when_it_was_last_used_is_noted_now_and_then(made: Sessions, rows: Rows, clock: Clock) -> None:
    session = made.find(token := made.begin("owner", "", None)).id
    for _ in range(3):
        made.look(set(), lambda _: None)
    assert rows.touched == [session]
    clock.now += 400
    made.look(set(), lambda _: None)
    assert rows.touched == [session], "it was not used since"
    made.find(token)
    made.look(set(), lambda _: None)
    assert rows.touched == [session, session]


def test_what_is_remembered_is_bounded(made: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "_MOST_REMEMBERED", 5)
    for _ in range(20):
        made.find(made.begin("owner", "", None))
    assert len(made._verified) == 5


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox, Windows",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            "Chrome, Linux",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge, macOS",
        ),
        ("curl/8.0", "curl"),
        ("", ""),
        ("<script>alert(1)</script>", ""),
    ],
)
def test_the_name_of_a_device(agent: str, device: str) -> None:
    assert device_of(agent) == device
