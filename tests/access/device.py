"""A client with cookies, like a browser, over real sockets."""

import json
import time
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from tests.faults.answers import new_run
from tests.support.promises import check_promises
from tests.support.rawhttp import Address, Response, dial, encode_request
from tests.support.sse import SseReader
from tests.support.ws import WsClient

PASSWORD = "correct-horse-battery-canary"
KEY = "sk-canary-77aa66bb55cc"
SECRET_KEY = "cookie-canary-1234567890"


class Device:
    """A client with cookies. `headers` are sent with every request."""

    def __init__(self, address: Address, headers: dict[str, str] | None = None) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}
        self.headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"} | (headers or {})

    @property
    def all_headers(self) -> dict[str, str]:
        """The headers of every request, with the cookies."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return self.headers | ({"Cookie": cookies} if cookies else {})

    def request(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request and store the cookies of the response. Return status, headers and body."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        with dial(self.address) as sock:
            sock.sendall(encode_request(self.address, method, path, self.all_headers | more, body))
            response = Response(sock)
            self._store_cookies(response.cookies)
            return response.status, response.headers, response.read_all()

    def json(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """Send a request, require `status`, and return the JSON body."""
        found, _, raw = self.request(method, path, body)
        assert found == status, (found, raw)
        return json.loads(raw)

    def open(self) -> int:
        """Request the page and return the status."""
        return self.request("GET", "/", Accept="text/html")[0]

    def sign_in(self, password: str = PASSWORD) -> int:
        """Submit the sign-in form and return the status."""
        form = urlencode({"username": "freshet", "password": password}).encode()
        return self.request("POST", "/signin", form, Content_Type="application/x-www-form-urlencoded")[0]

    def sign_out(self) -> int:
        return self.request("POST", "/signout")[0]

    def start(self, query: str = "Hi", **body: Any) -> SseReader:
        """Start an answer; the caller reads and closes the reader."""
        return SseReader(self.address, body={"query": query, **body}, headers=self.all_headers)

    def ask(self, query: str = "Hi", **body: Any) -> str:
        """Start an answer, read all of it and return its text."""
        with self.start(query, **body) as reader:
            assert reader.status == 200, reader.response.read_all()
            return check_promises(reader.read_to_end()).text

    def create_conversation(self, query: str = "Hi") -> str:
        """Start a conversation and return its id when the answer has been stored."""
        conversation = new_run()
        self.ask(query, conversation=conversation)
        return conversation

    def conversation_ids(self) -> set[str]:
        """Return the ids of the listed conversations."""
        return {head["id"] for head in self.json("GET", "/conversations?limit=100")["conversations"]}

    def messages(self, conversation: str) -> list[dict[str, Any]]:
        """Return the messages of a conversation."""
        found: list[dict[str, Any]] = self.json("GET", f"/conversations/{conversation}")["messages"]
        return found

    def sessions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("GET", "/sessions")["sessions"]
        return found

    def socket(self, **headers: str) -> WsClient:
        return WsClient(self.address, headers=self.all_headers | headers)

    def _store_cookies(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or (morsel["expires"] and "1970" in morsel["expires"]):
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def wait_within(is_met: Any, timeout_s: float, what: str) -> float:
    """Wait until `is_met()` and return the seconds that it took. `what` names it in the failure."""
    started = time.monotonic()
    while not is_met():
        assert time.monotonic() < started + timeout_s, f"{what}: not within {timeout_s} s"
        time.sleep(0.02)
    return time.monotonic() - started


def error_of(raw: bytes) -> dict[str, Any]:
    """Return the error of a response after checking its shape."""
    body = json.loads(raw)
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error
