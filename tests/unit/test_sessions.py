"""Sign-in sessions: verifying, caching while the database is unreachable, ending."""

from collections.abc import Sequence

import pytest

from webapp.access import sessions as module
from webapp.access.sessions import Sessions, describe_device
from webapp.errors import NotSignedIn, Unavailable
from webapp.seams import SignInSession


class FakeStore:
    """Sessions in memory; while `is_down`, every call raises `Unavailable`."""

    def __init__(self) -> None:
        self.by_digest: dict[str, SignInSession] = {}
        self.is_down = False
        self.lookups = 0
        self.touched: list[str] = []

    def _check(self) -> None:
        if self.is_down:
            raise Unavailable("down", code="store_away")

    def add(self, digest: str, session: SignInSession, replaced: str | None) -> None:
        self._check()
        self.by_digest.pop(replaced or "", None)
        self.by_digest[digest] = session

    def find(self, digest: str) -> SignInSession | None:
        self._check()
        self.lookups += 1
        return self.by_digest.get(digest)

    def list_for(self, user: str) -> Sequence[SignInSession]:
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

    def filter_active(self, chosen: Sequence[str]) -> list[str]:
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
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module.time, "monotonic", clock)
    return clock


@pytest.fixture
def sessions(store: FakeStore, clock: Clock) -> Sessions:
    return Sessions(store, lambda: "credential")


def test_a_token_is_long_and_never_stored(sessions: Sessions, store: FakeStore) -> None:
    token = sessions.create("owner", "Firefox", None)
    assert len(token) >= 43
    assert token not in str(store.by_digest)
    assert sessions.find(token).device == "Firefox"


@pytest.mark.parametrize("token", ["", "x", "x" * 5_000, "\x00"])
def test_an_unknown_token_is_refused(sessions: Sessions, token: str) -> None:
    sessions.create("owner", "", None)
    with pytest.raises(NotSignedIn):
        sessions.find(token)


def test_signing_in_again_ends_the_previous_session(sessions: Sessions) -> None:
    first = sessions.create("owner", "", None)
    sessions.find(first)
    second = sessions.create("owner", "", first)
    assert second != first
    sessions.find(second)
    with pytest.raises(NotSignedIn):
        sessions.find(first)


def test_a_changed_password_ends_every_session(store: FakeStore, clock: Clock) -> None:
    credential = ["first"]
    sessions = Sessions(store, lambda: credential[0])
    token = sessions.create("owner", "", None)
    sessions.find(token)
    credential[0] = "second"
    clock.now += 2
    with pytest.raises(NotSignedIn):
        sessions.find(token)
    assert sessions.list_for("owner") == []


def test_a_session_is_looked_up_at_most_once_per_second(
    sessions: Sessions, store: FakeStore, clock: Clock
) -> None:
    token = sessions.create("owner", "", None)
    for _ in range(10):
        sessions.find(token)
    assert store.lookups == 1
    clock.now += 1.1
    sessions.find(token)
    assert store.lookups == 2


def test_a_session_stays_valid_for_fifteen_minutes_without_the_database(
    sessions: Sessions, store: FakeStore, clock: Clock
) -> None:
    token, other = sessions.create("owner", "", None), sessions.create("owner", "", None)
    sessions.find(token)
    store.is_down = True
    for _ in range(14):
        clock.now += 60
        assert sessions.find(token).user == "owner"
    with pytest.raises(Unavailable):
        sessions.find(other)  # never verified by this worker
    clock.now += 61
    with pytest.raises(Unavailable):
        sessions.find(token)
    with pytest.raises(Unavailable):
        sessions.create("owner", "", None)
    store.is_down = False
    assert sessions.find(token).user == "owner"


def test_one_session_or_all_others_can_be_ended(sessions: Sessions) -> None:
    tokens = [sessions.create("owner", "", None) for _ in range(4)]
    ids = [sessions.find(token).id for token in tokens]
    assert sessions.end("owner", ids[0])
    assert not sessions.end("owner", ids[0])
    assert not sessions.end("somebody", ids[1]), "it is another user's"
    with pytest.raises(NotSignedIn):
        sessions.find(tokens[0])
    assert sorted(sessions.end_others("owner", ids[1])) == sorted(ids[2:])
    sessions.find(tokens[1])
    for token in tokens[2:]:
        with pytest.raises(NotSignedIn):
            sessions.find(token)


def test_sessions_that_ended_elsewhere_are_reported(sessions: Sessions, store: FakeStore) -> None:
    tokens = [sessions.create("owner", "", None) for _ in range(2)]
    ids = [sessions.find(token).id for token in tokens]
    reported: list[set[str]] = []
    sessions.check(set(ids), reported.append)
    assert reported == []
    store.end("owner", [ids[0]])
    sessions.check(set(ids), reported.append)
    assert reported == [{ids[0]}]
    with pytest.raises(NotSignedIn):
        sessions.find(tokens[0])


def test_the_time_of_last_use_is_stored_every_few_minutes(
    sessions: Sessions, store: FakeStore, clock: Clock
) -> None:
    session = sessions.find(token := sessions.create("owner", "", None)).id
    for _ in range(3):
        sessions.check(set(), lambda _: None)
    assert store.touched == [session]
    clock.now += 400
    sessions.check(set(), lambda _: None)
    assert store.touched == [session], "it has not been used since"
    sessions.find(token)
    sessions.check(set(), lambda _: None)
    assert store.touched == [session, session]


def test_the_cache_is_bounded(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_CACHED", 5)
    for _ in range(20):
        sessions.find(sessions.create("owner", "", None))
    assert len(sessions._cache) == 5


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
def test_a_device_is_described_by_browser_and_system(agent: str, device: str) -> None:
    assert describe_device(agent) == device
