"""The page's files: cached for ever under a versioned path, small, and the same below a sub-path."""

import gzip
import re
from collections.abc import Iterator

import pytest
import requests

from tests.support.server import Server

FIRST_PAINT_BYTES = 60_000


@pytest.fixture(scope="module")
def below() -> Iterator[Server]:
    """A server whose proxy serves it under /chat, without a password of its own."""
    with Server({"SCRIPT_NAME": "/chat"}) as running:
        yield running


def files_of(page: str) -> list[str]:
    return [file.removeprefix(".") for file in re.findall(r'(?:href|src)="([^"]*/static/[^"]+)"', page)]


def test_a_file_is_compressed_and_may_be_cached_for_ever(server: Server) -> None:
    page = requests.get(server.url, timeout=10).text
    files = files_of(page)
    assert any(file.endswith("/page.js") for file in files)
    for file in files:
        served = requests.get(server.url + file, timeout=10, headers={"Accept-Encoding": "gzip"}, stream=True)
        raw = served.raw.read()
        assert served.status_code == 200, file
        assert "immutable" in served.headers["Cache-Control"]
        assert served.headers["X-Content-Type-Options"] == "nosniff"
        # Other sites load the chat from there; no cookie is asked for, and none of it is a secret.
        assert served.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in served.headers
        if served.headers.get("Content-Encoding") == "gzip":
            assert "Accept-Encoding" in served.headers["Vary"]
            plain = requests.get(server.url + file, timeout=10, headers={"Accept-Encoding": "identity"})
            assert plain.content == gzip.decompress(raw)


def test_the_path_of_another_version_is_not_found(server: Server) -> None:
    page = requests.get(server.url, timeout=10).text
    (script,) = [file for file in files_of(page) if file.endswith("/page.js")]
    other = re.sub(r"/static/[0-9a-f]+/", "/static/0123456789abcdef/", script)
    for path in (other, "/static/page.js", script.replace("page.js", "../../webapp/app.py"), f"{script}/"):
        refused = requests.get(server.url + path, timeout=10)
        assert (refused.status_code, refused.headers["Content-Type"]) == (404, "application/json"), path


def test_the_endpoints_of_a_page_name_its_version(server: Server) -> None:
    page = requests.get(server.url, timeout=10).text
    (version,) = set(re.findall(r"/static/([0-9a-f]+)/", page))
    assert f'"page": "{version}"' in page
    for path, status in (("/conversations", 401), ("/conversations/nowhere", 401)):
        told = requests.get(server.url + path, timeout=10)
        assert (told.status_code, told.headers["Freshet-Page"]) == (status, version)


@pytest.mark.parametrize("language", ["en", "ar", "de", "es", "fr", "zh"])
def test_what_the_first_paint_needs_is_small(server: Server, language: str) -> None:
    """The renderer is preloaded, and not waited for."""
    page = requests.get(server.url, timeout=10, headers={"Accept-Language": language}).text
    assert f'lang="{language}"' in page
    beside = set(re.findall(r'fetchpriority="low" href="\.([^"]+)"', page))
    assert any(file.endswith("/render/index.js") for file in beside)
    sizes = {}
    for file in (file for file in set(files_of(page)) - beside if file.endswith((".js", ".css"))):
        served = requests.get(server.url + file, timeout=10, headers={"Accept-Encoding": "gzip"}, stream=True)
        sizes[file] = len(served.raw.read())
    print(language, sum(sizes.values()))
    assert sum(sizes.values()) <= FIRST_PAINT_BYTES, sorted(sizes.items(), key=lambda size: -size[1])[:8]


def test_it_works_below_a_sub_path(below: Server) -> None:
    page = requests.get(f"{below.url}/chat/", timeout=10).text
    files = files_of(page)
    assert files
    assert all(file.startswith("/chat/static/") for file in files)
    for file in files:
        assert requests.get(below.url + file, timeout=10).status_code == 200, file
    whole = requests.post(
        f"{below.url}/chat/chat/completions", json={"prompt": "Hi", "max_tokens": 5}, timeout=20
    )
    assert whole.status_code == 200
