"""Every endpoint, as found in the application's routes, against everybody but the owner of the data.

A new endpoint is tested automatically: the owner's request, with the body in `BODIES` if it needs one, must succeed, and
nobody else may see or change the owner's data. An endpoint for everybody must be listed in `FOR_ALL`.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from tests.access.conftest import make_server
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
# The bodies of the owner's POST and PATCH requests, where the endpoint needs one.
BODIES: dict[str, object] = {
    "stream.start": {"query": CANARY},
    "completions.create_completion": {"prompt": CANARY},
    "conversations.change_conversation": {"title": "Changed"},
    "export_import.import_conversations": {
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
    "sign_in.sign_in": f"password={PASSWORD}".encode(),
    "documents.add_document": f"{CANARY}, and more".encode(),
    "ai_sdk.start": {
        "id": "another",
        "messages": [{"role": "user", "parts": [{"type": "text", "text": CANARY}]}],
    },
    "keys.create_key": {"name": "A site"},
    "keys.change_key": {"name": "Another name"},
    "embed.visitor_token": {"key": "fpk_"},  # see `call`
}
# The bodies that others send instead, because the owner's body contains the credential.
BODIES_OF_OTHERS: dict[str, object] = {"sign_in.sign_in": b"password=guess"}
QUERIES = {
    "changes.follow_changes": "?wait_s=0",
    "documents.add_document": "?name=other.md&collection=papers",
    "documents.delete_collection": "?collection=papers",
    "documents.search_documents": f"?query={quote(CANARY)}",
    "operations.doctor": "?url=http://x/",
    "operations.doctor_stream": "?seconds=0.1",
    "stream.start_by_query": "?query=Hi",
}
# Endpoints without a credential: they show nobody's data, or the URL is the credential.
FOR_ALL = {
    "page.index",
    "page.favicon",
    "sign_in.sign_in",
    "sign_in.sign_out",
    "web_app.manifest",
    "web_app.service_worker",
    "web_app.offline",
    "health.healthz",
    "shared.read_branch",
    "shared.read_image",
    "shared.read_text",
    "site_scripts.client",
    "site_scripts.loader",
    "site_scripts.tokens",
    "site_scripts.widget",
    "embed.frame",
    "embed.visitor_token",  # for whoever is at a site of the key
}
# Endpoints that a public server allows without a cookie: they store nothing, and the address's limits apply.
WITHOUT_COOKIE = FOR_ALL | {
    "stream.start",
    "stream.start_by_query",
    "completions.create_completion",
    "ai_sdk.start",
    "ai_sdk.resume",
    "documents.search_documents",  # what is given to everybody
    "models.list_groups",
    "models.list_models",
    "models.show_model",
    "openapi.document",
    "health.readyz",
}
USERS_ONLY = {
    "sessions.list_sessions",
    "sessions.end_session",
    "sessions.end_other_sessions",
    "visitor.count_conversations",
    "visitor.move_conversations",
    "operations.metrics",
    "operations.doctor",
    "operations.doctor_stream",
    "keys.list_keys",
    "keys.create_key",
    "keys.change_key",
    "keys.rotate_key",
    "keys.revoke_key",
    "embed.frame",
    "embed.visitor_token",  # nobody has made a key there
}


class Case(NamedTuple):
    """One method of one route."""

    endpoint: str
    method: str
    rule: str


def cases() -> list[Case]:
    """Return all methods of all routes, except the WebSocket, which has its own tests below."""
    rules = create_app(Settings(data_dir="/nonexistent")).url_map.iter_rules()
    return sorted(
        Case(rule.endpoint, method, rule.rule)
        for rule in rules
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS") and rule.endpoint != "socket.ws"
    )


CASES = cases()
IDS = [f"{case.method} {case.rule}" for case in CASES]


class OwnedData:
    """An owner's data: a conversation with an image, an ended run, a share link, a document, and a user's second session."""

    def __init__(self, owner: Device, password: bool) -> None:
        self.owner = owner
        self.run, self.conversation = new_run(), new_run()
        image = {"images": [data_url(png())]}
        assert owner.ask(CANARY, conversation=self.conversation, run=self.run, **image) == ANSWER
        self.token = owner.json("POST", f"/conversations/{self.conversation}/share", status=201)["token"]
        question = owner.messages(self.conversation)[0]
        self.image = next(part["image"] for part in question["content"] if part["type"] == "image")
        self.document = self._add_document("/documents?name=paper.md&collection=papers")
        self.chat = f"chat-{self.run}"
        messages = [{"role": "user", "parts": [{"type": "text", "text": CANARY}]}]
        assert owner.request("POST", "/ai-sdk/chat", {"id": self.chat, "messages": messages})[0] == 200
        self.session = self.key = self.key_value = "none"
        if password:
            made = owner.json("POST", "/keys", {"name": CANARY}, status=201)
            self.key, self.key_value = made["id"], made["values"][0]["key"]
            other = Device(owner.address)
            assert other.sign_in() == 303
            self.session = next(one["id"] for one in other.sessions() if one["current"])

    def _add_document(self, path: str) -> str:
        status, _, raw = self.owner.request("POST", path, f"{CANARY}, and no more".encode())
        assert status == 201, raw
        return str(json.loads(raw)["id"])

    def path(self, case: Case) -> str:
        """Return the path of a route with its parameters filled in."""
        path = case.rule.replace("<path:name>", "mock/mock-standard")
        for name in ("run", "conversation", "token", "image", "document", "session", "key", "chat"):
            path = path.replace(f"<{name}>", getattr(self, name))
        assert "<" not in path, f"{case.rule} has an unknown parameter"
        queries = QUERIES | {"embed.frame": f"?key={self.key_value}"}
        return path + queries.get(case.endpoint, "")

    def prepare(self, case: Case) -> None:
        """Bring the data into the state that the owner's request needs."""
        if case.endpoint == "conversations.restore_conversation":
            self.owner.json("DELETE", f"/conversations/{self.conversation}")
        if (
            case.endpoint == "shared.read_text"
        ):  # which reads documents of the conversation that were there before the link
            path = f"/documents?name=shared.md&conversation={self.conversation}"
            self.document = self._add_document(path)
            path = f"/conversations/{self.conversation}/share"
            self.token = self.owner.json("POST", path, status=201)["token"]

    def state(self) -> Any:
        """Return everything that nobody else may change."""
        status = self.owner.request("GET", f"/conversations/{self.conversation}")[0]
        found: dict[str, Any] = {"status": status, "sessions": None}
        found["documents"] = self.owner.json("GET", "/documents?collection=papers")
        if status == 200:
            found["conversation"] = self.owner.json("GET", f"/conversations/{self.conversation}")
            found["share"] = self.owner.json("GET", f"/conversations/{self.conversation}/share")
        if self.session != "none":
            found["sessions"] = sorted(one["id"] for one in self.owner.sessions())
            found["keys"] = self.owner.json("GET", "/keys")
        return found


def call(device: Device, case: Case, data: OwnedData, **headers: str) -> tuple[int, bytes]:
    body = BODIES.get(case.endpoint)
    if device is not data.owner:
        body = BODIES_OF_OTHERS.get(case.endpoint, body)
    if case.endpoint == "embed.visitor_token":
        body = {"key": data.key_value}
        own = "http://{}:{}".format(*device.address)
        headers = ({"Origin": own} if device is data.owner and not headers else {}) | headers
    if isinstance(body, bytes):
        headers = {"Content_Type": FORM} | headers
    if case.endpoint in QUERIES:
        headers = {"Accept": "text/event-stream"} | headers
    status, _, raw = device.request(case.method, data.path(case), body, **headers)
    return status, raw


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(Answer(steps=openai([ANSWER]))) as fake:
        yield fake


@pytest.fixture(scope="module")
def password_server(provider: FakeProvider) -> Iterator[Server]:
    env = {"FRESHET_USER_STARTS": "100000", "SECRET_KEY": SECRET_KEY, "FRESHET_MODEL": "gpt-4.1"}
    with make_server(provider, FRESHET_ACCESS_PASSWORD=PASSWORD, **env) as running:
        yield running


@pytest.fixture(scope="module")
def public(provider: FakeProvider) -> Iterator[Server]:
    env = {"FRESHET_VISITOR_STARTS": "100000", "FRESHET_ADDRESS_VISITORS": "100000", "SECRET_KEY": SECRET_KEY}
    env |= {"FRESHET_VISITOR_STORED_BYTES": str(1024**3), "FRESHET_MODEL": "gpt-4.1"}
    with make_server(provider, FRESHET_PUBLIC="true", **env) as running:
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


def others_at(password_server: Server, public: Server) -> dict[str, Device]:
    """Return all clients that a server with a password must refuse."""
    visitor_elsewhere = visitor(public)  # its cookie has a valid signature, but a visitor is not a user
    visitor_elsewhere.address = password_server.address
    return {
        "nobody": Device(password_server.address),
        "a visitor": visitor_elsewhere,
        "a revoked session": revoked(password_server),
        "a forged cookie": forged(password_server),
    }


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_with_a_password_only_the_owner_is_admitted(
    case: Case, password_server: Server, public: Server, provider: FakeProvider
) -> None:
    owner = user(password_server)
    data = OwnedData(owner, password=True)
    data.prepare(case)
    for name, other in others_at(password_server, public).items():
        before, calls = data.state(), len(provider.calls)
        status, raw = call(other, case, data)
        if case.endpoint in FOR_ALL:
            assert status < 500, (name, raw)
            assert case.endpoint.startswith("shared.") or (CANARY.encode() not in raw), name
        else:
            assert status == 401, (name, status, raw)
            error_of(raw)
            assert CANARY.encode() not in raw
            assert ANSWER.encode() not in raw
        assert data.state() == before, name
        assert len(provider.calls) == calls, name
    status, raw = call(owner, case, data)
    assert status < 400, f"the owner gets {status}: {raw[:300]!r}"


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_in_public_only_the_owner_sees_the_data(case: Case, public: Server) -> None:
    owner, other = visitor(public), visitor(public)
    data = OwnedData(owner, password=False)
    data.prepare(case)
    for name, device in (("nobody", Device(public.address)), ("another", other), ("forged", forged(public))):
        before = data.state()
        status, raw = call(device, case, data)
        assert status < 500, (name, raw)
        if case.endpoint.startswith("shared."):
            assert status == 200, "the link is the credential"
        elif case.endpoint not in BODIES:  # an answer may repeat the question
            assert CANARY.encode() not in raw, (name, raw)
            assert data.conversation.encode() not in raw, (name, raw)
        if name != "another" and case.endpoint not in WITHOUT_COOKIE | USERS_ONLY:
            assert status in (401, 404), (name, status, raw)
        if "<" in case.rule and not case.endpoint.startswith(("shared.", "sessions.", "models.")):
            assert status in (401, 404) or (case.endpoint, status) == ("ai_sdk.resume", 204), (
                name,
                status,
                raw,
            )
        assert data.state() == before, name
    status, raw = call(owner, case, data)
    if case.endpoint in USERS_ONLY or case.endpoint == "sign_in.sign_in":
        assert status in (401, 403, 404), raw
    else:
        assert status < 400, f"the owner gets {status}: {raw[:300]!r}"


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
def test_cross_site_requests_are_refused(case: Case, password_server: Server, provider: FakeProvider) -> None:
    """Cross-site request forgery, with the owner's cookies."""
    owner = user(password_server)
    data = OwnedData(owner, password=True)
    data.prepare(case)
    for name, headers in FOREIGN.items():
        before, calls = data.state(), len(provider.calls)
        named = {key: value.format(port=password_server.port) for key, value in headers.items()}
        status, raw = call(owner, case, data, **named)
        assert status == 403, (name, status, raw)
        assert data.state() == before, name
        assert len(provider.calls) == calls, name
    status, raw = call(owner, case, data, Origin=password_server.url)
    assert status < 400, f"the own page gets {status}: {raw[:300]!r}"


# The WebSocket.


def exchange(socket: WsClient, message: dict[str, object]) -> list[dict[str, Any]]:
    """Send a message; return the messages until the first reply or the close."""
    socket.send_json(**message)
    socket.read_until(lambda: socket.closed is not None or bool(socket.jsons), 5)
    return [body for _, body in socket.jsons]


def test_a_websocket_shows_only_the_owners_runs(
    password_server: Server, public: Server, provider: FakeProvider
) -> None:
    owner = visitor(public)
    data = OwnedData(owner, password=False)
    messages: list[dict[str, object]] = [
        {"type": "resume", "ref": "1", "run": data.run},
        {"type": "stop", "ref": "1", "run": data.run},
        {"type": "start", "ref": "1", "query": "Hi", "run": data.run, "conversation": data.conversation},
        {"type": "start", "ref": "1", "query": "Hi", "run": new_run(), "conversation": data.conversation},
        {"type": "start", "ref": "1", "continue": data.run},
    ]
    with owner.socket() as socket:
        assert any(
            "start" in body or "text" in body or "reset" in body for body in exchange(socket, messages[0])
        )
    calls = len(provider.calls)
    for message in messages:
        for device in (Device(public.address), visitor(public), forged(public)):
            with device.socket() as socket:
                replies = exchange(socket, message)
                assert replies
                assert replies[0]["status"] in (401, 404, 409), replies
                assert ANSWER not in json.dumps(replies)
    assert len(provider.calls) == calls


def test_a_websocket_needs_the_password(
    password_server: Server, public: Server, provider: FakeProvider
) -> None:
    owner = user(password_server)
    data = OwnedData(owner, password=True)
    calls = len(provider.calls)
    for name, other in others_at(password_server, public).items():
        for message in ({"type": "resume", "run": data.run}, {"type": "start", "query": "Hi"}):
            with other.socket() as socket:
                socket.send_json(**message)
                assert socket.read_close(5) == 4401, name
                assert ANSWER not in str(socket.jsons)
    assert len(provider.calls) == calls


@pytest.mark.parametrize("origin", [one["Origin"] for one in FOREIGN.values() if "Origin" in one])
def test_cross_site_websockets_are_refused(password_server: Server, public: Server, origin: str) -> None:
    """Cross-site WebSocket hijacking, with the owner's cookies."""
    for server, owner in ((password_server, user(password_server)), (public, visitor(public))):
        with pytest.raises(Refused) as refused:
            owner.socket(Origin=origin.format(port=server.port))
        assert refused.value.status == 403
        with owner.socket(Origin=server.url):
            pass


# Security headers.


@pytest.mark.parametrize("case", [case for case in CASES if case.method == "GET"], ids=str)
def test_every_response_has_security_headers(case: Case, password_server: Server) -> None:
    owner = user(password_server)
    data = OwnedData(owner, password=True)
    _, headers, _ = owner.request("GET", data.path(case))
    is_for_all = case.endpoint.startswith("site_scripts.")  # loaded by any site, without cookies
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == (
        "cross-origin" if is_for_all or case.endpoint == "embed.frame" else "same-origin"
    )
    assert "camera=()" in headers["permissions-policy"]
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert "strict-transport-security" not in headers
    assert headers.get("access-control-allow-origin") == ("*" if is_for_all else None)
    assert "access-control-allow-credentials" not in headers
    assert KEY not in str(headers)


def test_static_files_have_security_headers(password_server: Server) -> None:
    owner = user(password_server)
    page = owner.request("GET", "/", Accept="text/html")[2].decode()
    path = page.partition('src=".')[2].partition('"')[0]  # relative to the page
    status, headers, _ = owner.request("GET", path)
    assert status == 200
    assert headers["cross-origin-resource-policy"] == "cross-origin"  # other sites load the chat from there
    assert headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers
