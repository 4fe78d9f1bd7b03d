"""A client for the part of WebDriver BiDi that the tests need: https://w3c.github.io/webdriver-bidi/."""

import json
import time
from typing import Any, Self

from websocket import create_connection

ANSWER_S = 60.0
KEYS = {"Enter": "\ue007", "Escape": "\ue00c", "Shift": "\ue008"}


class BidiError(RuntimeError):
    """The browser refused a command, or a script failed."""


class Session:
    """One tab of a browser, as a context. `complaints` are the console's warnings and errors, and failed scripts."""

    def __init__(self, url: str) -> None:
        self._socket = create_connection(url, timeout=ANSWER_S, suppress_origin=True)
        self._last = 0
        self.complaints: list[str] = []
        self._call("session.new", {"capabilities": {}})
        self._call("session.subscribe", {"events": ["log.entryAdded"]})
        tree = self._call("browsingContext.getTree", {"maxDepth": 0})
        self._tab = tree["contexts"][0]["context"]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._call("session.end", {})
        finally:
            self._socket.close()

    def size(self, width: int, height: int) -> None:
        """Set the size of the viewport, in CSS pixels."""
        viewport = {"width": width, "height": height}
        self._call("browsingContext.setViewport", {"context": self._tab, "viewport": viewport})

    def open(self, url: str) -> None:
        """Load a page, and wait until it is loaded."""
        self._call("browsingContext.navigate", {"context": self._tab, "url": url, "wait": "complete"})

    def reload(self) -> None:
        """Reload the page."""
        self._call("browsingContext.reload", {"context": self._tab, "wait": "complete"})

    def evaluate(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function with JSON values; return its result, awaited if it is a promise.

        Raises:
            BidiError: it threw.
        """
        said = self._call(
            "script.callFunction",
            {
                "functionDeclaration": f"async (given) => JSON.stringify(await ({function})(...JSON.parse(given)) ?? null)",
                "arguments": [{"type": "string", "value": json.dumps(arguments)}],
                "awaitPromise": True,
                "target": {"context": self._tab},
            },
        )
        if said["type"] != "success":
            raise BidiError(said["exceptionDetails"]["text"])
        return json.loads(said["result"]["value"])

    def wait(self, function: str, *arguments: Any, timeout_s: float = 20.0) -> Any:
        """Evaluate until the result is true, and return it.

        Raises:
            TimeoutError: it never was.
        """
        deadline = time.monotonic() + timeout_s
        while not (said := self.evaluate(function, *arguments)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"still not: {function}")
            time.sleep(0.02)
        return said

    def write(self, text: str) -> None:
        """Press the keys of a text, or one of `KEYS`."""
        keys = [KEYS[text]] if text in KEYS else list(text)
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self._call("input.performActions", {"context": self._tab, "actions": [source]})

    def picture(self) -> str:
        """Return a screenshot, as PNG in base64."""
        data: str = self._call("browsingContext.captureScreenshot", {"context": self._tab})["data"]
        return data

    def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv())
            if said.get("id") == self._last:
                break
            self._heard(said)
        if said["type"] != "success":
            raise BidiError(f"{method}: {said['error']}: {said['message']}")
        result: dict[str, Any] = said["result"]
        return result

    def _heard(self, said: dict[str, Any]) -> None:
        entry = said.get("params", {})
        if said.get("method") == "log.entryAdded" and entry.get("level") in ("error", "warn"):
            self.complaints.append(f"{entry['level']}: {entry.get('text')}")
