"""Every endpoint against everybody who is not its owner, generated from the application's routes.

A new endpoint is tried by itself: its owner must get in by what stands in `BODIES` or without a body, and nobody else may
see or change what is the owner's. Where it is meant for everybody, it must be listed in `FOR_ALL`.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.access.conftest import made
from tests.access.device import KEY, PASSWORD, SECRET_KEY, Device, error_of
from tests.faults.answers import new_run
from tests.store.people import data_url, png
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server
from tests.support.ws import Refused, WsClient
from webapp.app import create_app
from webapp.settings import Settings

CANARY = "Canary of the owner"
ANSWER = "canary of the answer"
FORM = "application/x-www-form-urlencoded"
# What stands in a POST or PATCH that its owner makes, where it needs anything.
BODIES: dict[str, object] = {
    "stream.start": {"query": CANARY},
    "completions.complete": {"prompt": CANARY},
    "conversations.change": {"title": "Changed"},
    "export_import.bring": {
        "freshet": 1,
        "title": CANARY,
        "messages": [
            {
                "id": "m",
                "parent": None,
                "role": "user",
                "content": [{"type": "text", "text": CANARY}],
                "created_at": 1,
                "state": "done",
            }
        ],
    },
    "page.sign_in": f"password={PASSWORD}".encode(),
}
# What others send instead, because the owner's body says who one is.
BODIES_OF_OTHERS: dict[str, object] = {"page.sign_in": b"password=guess"}
QUERIES = {"stream.start_by_query": "?query=Hi"}
# Where no credential is asked for: they show nothing of anybody's, or the address is the key.
FOR_ALL = {
    "page.index",
    "page.favicon",
    "page.sign_in",
    "page.sign_out",
    "web_app.manifest",
    "web_app.service_worker",
    "web_app.offline",
    "health.healthz",
    "shared.shown",
    "shared.picture",
}
# Where a public server lets somebody in who has no cookie: within the address's share, storing nothing.
FOR_STRANGERS = FOR_ALL | {
    "stream.start",
    "stream.start_by_query",
    "completions.complete",
    "completions.models",
    "health.readyz",
}
USERS_ONLY = {"sessions.listed", "sessions.end", "sessions.end_others", "visitor.counted", "visitor.move"}


class Case(NamedTuple):
    """One method of one route."""

    endpoint: str
    method: str
    rule: str


def cases() -> list[Case]:
    """List what the application answers, but for the WebSocket, which is tried below."""
    rules = create_app(Settings(data_dir="/nonexistent")).url_map.iter_rules()
    return sorted(
        Case(rule.endpoint, method, rule.rule)
        for rule in rules
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS") and rule.endpoint != "socket.ws"
    )


CASES = cases()
IDS = [f"{case.method} {case.rule}" for case in CASES]


class Things:
    """What an owner has: a conversation with an image, an ended run, a link, and for a user another session."""

    def __init__(self, owner: Device, password: bool) -> None:
        self.owner = owner
        self.run, self.conversation = new_run(), new_run()
        image = {"images": [data_url(png())]}
        assert owner.ask(CANARY, conversation=self.conversation, run=self.run, **image) == ANSWER
        self.token = owner.json("POST", f"/conversations/{self.conversation}/share", status=201)["token"]
        question = owner.messages(self.conversation)[0]
        self.image = next(part["image"] for part in question["content"] if part["type"] == "image")
        self.session = "none"
        if password:
            other = Device(owner.address)
            assert other.sign_in() == 303
            self.session = next(one["id"] for one in other.sessions() if one["current"])

    def path(self, case: Case) -> str:
        """Fill the parameters of a route; one that is not known here fails."""
        path = case.rule
        for name in ("run", "conversation", "token", "image", "session"):
            path = path.replace(f"<{name}>", getattr(self, name))
        assert "<" not in path, f"what does {case.rule} stand for?"
        return path + QUERIES.get(case.endpoint, "")

    def prepare(self, case: Case) -> None:
        """Put things into the state that the owner's request needs."""
        if case.endpoint == "conversations.restore":
            self.owner.json("DELETE", f"/conversations/{self.conversation}")

    def state(self) -> Any:
        """Return all that nobody else may change."""
        seen = self.owner.do("GET", f"/conversations/{self.conversation}")[0]
        found: dict[str, Any] = {"seen": seen, "sessions": None}
        if seen == 200:
            found["conversation"] = self.owner.json("GET", f"/conversations/{self.conversation}")
            found["share"] = self.owner.json("GET", f"/conversations/{self.conversation}/share")
        if self.session != "none":
            found["sessions"] = sorted(one["id"] for one in self.owner.sessions())
        return found


def call(device: Device, case: Case, things: Things, **headers: str) -> tuple[int, bytes]:
    body = BODIES.get(case.endpoint)
    if device is not things.owner:
        body = BODIES_OF_OTHERS.get(case.endpoint, body)
    if isinstance(body, bytes):
        headers = {"Content_Type": FORM} | headers
    if case.endpoint in QUERIES:
        headers = {"Accept": "text/event-stream"} | headers
    status, _, raw = device.do(case.method, things.path(case), body, **headers)
    return status, raw


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(Answer(steps=openai([ANSWER]))) as fake:
        yield fake


@pytest.fixture(scope="module")
def guarded(provider: FakeProvider) -> Iterator[Server]:
    env = {"FRESHET_USER_STARTS": "100000", "SECRET_KEY": SECRET_KEY, "FRESHET_MODEL": "gpt-4.1"}
    with made(provider, FRESHET_ACCESS_PASSWORD=PASSWORD, **env) as running:
        yield running


@pytest.fixture(scope="module")
def public(provider: FakeProvider) -> Iterator[Server]:
    env = {"FRESHET_VISITOR_STARTS": "100000", "FRESHET_ADDRESS_VISITORS": "100000", "SECRET_KEY": SECRET_KEY}
    env |= {"FRESHET_VISITOR_STORED_BYTES": str(1024**3), "FRESHET_MODEL": "gpt-4.1"}
    with made(provider, FRESHET_PUBLIC="true", **env) as running:
        yield running


def user(server: Server) -> Device:
    device = Device(server.address)
    assert device.sign_in() == 303
    return device


def visitor(server: Server) -> Device:
    device = Device(server.address)
    assert device.open() == 200
    return device


def revoked(server: Server) -> Device:
    device = user(server)
    kept = dict(device.cookies)
    device.sign_out()
    device.cookies = kept
    return device


def forged(server: Server) -> Device:
    device = Device(server.address)
    device.cookies = {
        "freshet-session": "A" * 43,
        "freshet-visitor": "IkFBQUFBQUFBQUFBQUFBQUFBQUFBQUEi.aAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "freshet": "eyJ2aXNpdG9yIjoiQUFBQSJ9.aAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAA",
    }
    return device


def others_at(guarded: Server, public: Server) -> dict[str, Device]:
    """Everybody who must not get in where a password is asked for."""
    elsewhere = visitor(public)  # signed with the same secret, but no visitor is a user
    elsewhere.address = guarded.address
    return {
        "nobody": Device(guarded.address),
        "a visitor": elsewhere,
        "a revoked session": revoked(guarded),
        "a forged cookie": forged(guarded),
    }


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_with_a_password(case: Case, guarded: Server, public: Server, provider: FakeProvider) -> None:
    owner = user(guarded)
    things = Things(owner, password=True)
    things.prepare(case)
    for name, other in others_at(guarded, public).items():
        before, calls = things.state(), len(provider.calls)
        status, raw = call(other, case, things)
        if case.endpoint in FOR_ALL:
            assert status < 500, (name, raw)
            assert case.endpoint.startswith("shared.") or (CANARY.encode() not in raw), name
        else:
            assert status == 401, (name, status, raw)
            error_of(raw)
            assert CANARY.encode() not in raw
            assert ANSWER.encode() not in raw
        assert things.state() == before, name
        assert len(provider.calls) == calls, name
    status, raw = call(owner, case, things)
    assert status < 400, f"its owner gets {status}: {raw[:300]!r}"


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_in_public(case: Case, public: Server) -> None:
    owner, other = visitor(public), visitor(public)
    things = Things(owner, password=False)
    things.prepare(case)
    for name, device in (("nobody", Device(public.address)), ("another", other), ("forged", forged(public))):
        before = things.state()
        status, raw = call(device, case, things)
        assert status < 500, (name, raw)
        if case.endpoint.startswith("shared."):
            assert status == 200, "the link is the key"
        elif case.endpoint not in BODIES:  # an answer may hold what was just asked
            assert CANARY.encode() not in raw, (name, raw)
            assert things.conversation.encode() not in raw, (name, raw)
        if name != "another" and case.endpoint not in FOR_STRANGERS | USERS_ONLY:
            assert status in (401, 404), (name, status, raw)
        if "<" in case.rule and not case.endpoint.startswith(("shared.", "sessions.")):
            assert status in (401, 404), (name, status, raw)
        assert things.state() == before, name
    status, raw = call(owner, case, things)
    if case.endpoint in USERS_ONLY or case.endpoint == "page.sign_in":
        assert status in (401, 403), raw
    else:
        assert status < 400, f"its owner gets {status}: {raw[:300]!r}"


FOREIGN = {
    "another site": {"Origin": "https://evil.example"},
    "null": {"Origin": "null"},
    "another scheme": {"Origin": "https://127.0.0.1:{port}"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "a prefix": {"Origin": "http://127.0.0.1:{port}.evil.example"},
    "a user part": {"Origin": "http://127.0.0.1:{port}@evil.example"},
    "a form without an origin": {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"},
}


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.method != "GET"], ids=[one for one in IDS if one[:4] != "GET "]
)
def test_no_other_site_can_make_a_browser_do_it(case: Case, guarded: Server, provider: FakeProvider) -> None:
    """Request forgery, with the owner's own cookies."""
    owner = user(guarded)
    things = Things(owner, password=True)
    things.prepare(case)
    for name, headers in FOREIGN.items():
        before, calls = things.state(), len(provider.calls)
        named = {key: value.format(port=guarded.port) for key, value in headers.items()}
        status, raw = call(owner, case, things, **named)
        assert status == 403, (name, status, raw)
        assert things.state() == before, name
        assert len(provider.calls) == calls, name
    status, raw = call(owner, case, things, Origin=guarded.url)
    assert status < 400, f"its own page gets {status}: {raw[:300]!r}"


# The WebSocket.


def heard(socket: WsClient, message: dict[str, object]) -> list[dict[str, Any]]:
    """Send a message and return what comes until the connection closes or a reply is there."""
    socket.send_json(**message)
    socket.read_until(lambda: socket.closed is not None or bool(socket.jsons), 5)
    return [body for _, body in socket.jsons]


def test_a_websocket_gives_nobody_else_s_away(
    guarded: Server, public: Server, provider: FakeProvider
) -> None:
    owner = visitor(public)
    things = Things(owner, password=False)
    messages: list[dict[str, object]] = [
        {"type": "resume", "ref": "1", "run": things.run},
        {"type": "stop", "ref": "1", "run": things.run},
        {"type": "start", "ref": "1", "query": "Hi", "run": things.run, "conversation": things.conversation},
        {"type": "start", "ref": "1", "query": "Hi", "run": new_run(), "conversation": things.conversation},
        {"type": "start", "ref": "1", "continue": things.run},
    ]
    with owner.socket() as socket:
        assert any(
            "start" in body or "text" in body or "reset" in body for body in heard(socket, messages[0])
        )
    calls = len(provider.calls)
    for message in messages:
        for device in (Device(public.address), visitor(public), forged(public)):
            with device.socket() as socket:
                told = heard(socket, message)
                assert told
                assert told[0]["status"] in (401, 404, 409), told
                assert ANSWER not in json.dumps(told)
    assert len(provider.calls) == calls


def test_a_websocket_needs_the_password(guarded: Server, public: Server, provider: FakeProvider) -> None:
    owner = user(guarded)
    things = Things(owner, password=True)
    calls = len(provider.calls)
    for name, other in others_at(guarded, public).items():
        for message in ({"type": "resume", "run": things.run}, {"type": "start", "query": "Hi"}):
            with other.socket() as socket:
                socket.send_json(**message)
                assert socket.read_close(5) == 4401, name
                assert ANSWER not in str(socket.jsons)
    assert len(provider.calls) == calls


@pytest.mark.parametrize("origin", [one["Origin"] for one in FOREIGN.values() if "Origin" in one])
def test_no_other_site_opens_a_websocket(guarded: Server, public: Server, origin: str) -> None:
    """Cross-site WebSocket hijacking, with the owner's own cookies."""
    for server, owner in ((guarded, user(guarded)), (public, visitor(public))):
        with pytest.raises(Refused) as refused:
            owner.socket(Origin=origin.format(port=server.port))
        assert refused.value.status == 403
        with owner.socket(Origin=server.url):
            pass


# What every answer says of itself.


@pytest.mark.parametrize("case", [case for case in CASES if case.method == "GET"], ids=str)
def test_the_headers_that_keep_others_out(case: Case, guarded: Server) -> None:
    owner = user(guarded)
    things = Things(owner, password=True)
    _, headers, _ = owner.do("GET", things.path(case))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert "strict-transport-security" not in headers
    assert "access-control-allow-origin" not in headers
    assert KEY not in str(headers)


def test_the_page_s_files_too(guarded: Server) -> None:
    owner = user(guarded)
    page = owner.do("GET", "/", Accept="text/html")[2].decode()
    path = page.partition('src="')[2].partition('"')[0]
    status, headers, _ = owner.do("GET", path)
    assert status == 200
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
