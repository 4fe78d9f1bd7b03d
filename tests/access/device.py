"""One browser's cookies, without the browser: what a person does at the endpoints, over real sockets."""

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
    """A browser with its cookies. `host` is what it calls the server, `headers` go with every request."""

    def __init__(self, address: Address, headers: dict[str, str] | None = None) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}
        self.headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"} | (headers or {})

    @property
    def sent(self) -> dict[str, str]:
        """The headers of a request."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return self.headers | ({"Cookie": cookies} if cookies else {})

    def do(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Make a request, and keep the cookies that come back."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with dial(self.address) as sock:
            sock.sendall(encode_request(self.address, method, path, self.sent | named, body))
            response = Response(sock)
            self._keep(response.cookies)
            return response.status, response.headers, response.read_all()

    def json(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """Make a request that must succeed, and read its JSON."""
        found, _, raw = self.do(method, path, body)
        assert found == status, (found, raw)
        return json.loads(raw)

    def open(self) -> int:
        """Open the page."""
        return self.do("GET", "/", Accept="text/html")[0]

    def sign_in(self, password: str = PASSWORD) -> int:
        """Send the form."""
        form = urlencode({"username": "freshet", "password": password}).encode()
        return self.do("POST", "/signin", form, Content_Type="application/x-www-form-urlencoded")[0]

    def sign_out(self) -> int:
        return self.do("POST", "/signout")[0]

    def start(self, query: str = "Hi", **body: Any) -> SseReader:
        """Ask; the caller reads and closes."""
        return SseReader(self.address, body={"query": query, **body}, headers=self.sent)

    def ask(self, query: str = "Hi", **body: Any) -> str:
        """Ask, and read the answer to its end."""
        with self.start(query, **body) as reader:
            assert reader.status == 200, reader.response.read_all()
            return check_promises(reader.read_to_end()).text

    def converse(self, query: str = "Hi") -> str:
        """Begin a conversation, and return its name once its answer is kept."""
        name = new_run()
        self.ask(query, conversation=name)
        return name

    def listed(self) -> set[str]:
        """The conversations that this device sees."""
        return {head["id"] for head in self.json("GET", "/conversations?limit=100")["conversations"]}

    def messages(self, conversation: str) -> list[dict[str, Any]]:
        """The messages of a conversation."""
        found: list[dict[str, Any]] = self.json("GET", f"/conversations/{conversation}")["messages"]
        return found

    def sessions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json("GET", "/sessions")["sessions"]
        return found

    def socket(self, **headers: str) -> WsClient:
        return WsClient(self.address, headers=self.sent | headers)

    def _keep(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0" or (morsel["expires"] and "1970" in morsel["expires"]):
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def within(met: Any, timeout_s: float, what: str) -> float:
    """Wait until `met()`, and return the seconds that it took."""
    began = time.monotonic()
    while not met():
        assert time.monotonic() < began + timeout_s, f"{what}: not within {timeout_s} s"
        time.sleep(0.02)
    return time.monotonic() - began


def error_of(raw: bytes) -> dict[str, Any]:
    """Read a refusal, which has one form."""
    body = json.loads(raw)
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error
