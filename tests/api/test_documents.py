"""`/documents` over HTTP: what goes in, whose it is, what is refused, and that nothing of a deleted document is left."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.documents.pdf_files import lines, pdf
from tests.faults.answers import new_run
from tests.support.server import Server
from webapp.documents.parse import MAX_FILE_BYTES

RIVERS = b"# Rivers\n\nThe Loire rises in the Ardeche.\n\n# Floods\n\nA freshet is a flood that melting snow feeds.\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server({"FRESHET_ACCESS": "public", "FRESHET_VISITOR_STARTS": "60"}) as running:
        yield running


class Caller:
    """A visitor of the server, with a cookie of its own."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        self.session = requests.Session()
        # On a slow machine the server may close a connection just when it is used again.
        self.session.headers["Connection"] = "close"
        self.session.get(server.url, timeout=10)

    def call(self, method: str, path: str, *, data: bytes | None = None, **query: str) -> tuple[int, Any]:
        response = self.session.request(method, f"{self.url}{path}", params=query, data=data, timeout=60)
        return response.status_code, response.json()

    def add(self, name: str, data: bytes, **place: str) -> Any:
        status, body = self.call("POST", "/documents", data=data, name=name, **place)
        assert status == 201, body
        return body

    def refusal(
        self, method: str, path: str, *, data: bytes | None = None, **query: str
    ) -> tuple[int, str, str]:
        status, body = self.call(method, path, data=data, **query)
        return status, body["error"]["code"], body["error"]["param"]


@pytest.fixture
def anna(server: Server) -> Caller:
    return Caller(server)


def test_a_document_of_a_collection(server: Server, anna: Caller) -> None:
    added = anna.add("rivers.md", RIVERS, collection="handbook")
    assert (added["source"], added["title"], added["passages"]) == ("rivers.md", "Rivers", 2)
    listed = anna.call("GET", "/documents")[1]["collections"]
    assert [(one["name"], one["is_own"], one["documents"]) for one in listed] == [("handbook", True, 1)]
    assert anna.call("GET", "/documents", collection="handbook")[1] == {"documents": [added]}
    assert anna.call("GET", f"/documents/{added['id']}")[1] == added
    part = anna.call("GET", f"/documents/{added['id']}/text", at="30")[1]
    assert part["text"] == RIVERS.decode()
    assert (part["start"], part["page"]) == (0, None)


def test_the_same_file_is_stored_once_and_another_one_replaces_it(anna: Caller) -> None:
    first = anna.add("rivers.md", RIVERS, collection="notes")
    assert anna.add("rivers.md", RIVERS, collection="notes")["id"] == first["id"]
    second = anna.add("rivers.md", b"Nothing any more.", collection="notes")
    listed = anna.call("GET", "/documents", collection="notes")[1]["documents"]
    assert [one["id"] for one in listed] == [second["id"]] != [first["id"]]


def test_a_page_of_a_pdf(anna: Caller) -> None:
    pages = pdf([lines(f"This is page {number}.") for number in range(1, 4)])
    added = anna.add("three.pdf", pages, collection="notes")
    assert added["pages"] == 3
    whole = anna.call("GET", f"/documents/{added['id']}/text")[1]
    assert whole["page"] == 1
    part = anna.call("GET", f"/documents/{added['id']}/text", at=str(whole["end"]))[1]
    assert (part["page"], part["pages"], part["text"].strip()) == (2, 3, "This is page 2.")
    assert anna.call("GET", f"/documents/{added['id']}/text", at="9" * 3_000)[1]["page"] == 3


def test_a_part_of_a_long_text_is_whole_lines_around_its_offset(anna: Caller) -> None:
    text = "".join(f"This is line {number} of many.\n" for number in range(2_000))
    added = anna.add("long.txt", text.encode(), collection="notes")
    at = text.index("line 1234 ")
    part = anna.call("GET", f"/documents/{added['id']}/text", at=str(at))[1]
    assert part["start"] <= at < part["end"] < len(text)
    assert part["text"] == text[part["start"] : part["end"]]
    assert text[part["start"] - 1] == "\n"
    assert 2_000 < len(part["text"]) <= 4_000


def test_a_document_of_a_conversation_that_has_no_question_yet(anna: Caller) -> None:
    conversation = new_run()
    added = anna.add("rivers.md", RIVERS, conversation=conversation)
    assert anna.call("GET", "/documents", conversation=conversation)[1] == {"documents": [added]}
    assert anna.call("GET", f"/conversations/{conversation}")[1]["messages"] == []
    asked = anna.session.post(
        f"{anna.url}/stream",
        json={"query": "Where does it rise?", "conversation": conversation, "system": "Be brief."},
        timeout=30,
    )
    assert asked.ok, asked.text
    stored = anna.call("GET", f"/conversations/{conversation}")[1]
    assert (stored["title"], stored["system"]) == ("Where does it rise?", "Be brief.")
    assert len(stored["messages"]) == 2


def test_a_title_that_was_given_before_the_first_question_stays(anna: Caller) -> None:
    conversation = new_run()
    anna.add("rivers.md", RIVERS, conversation=conversation)
    url = f"{anna.url}/conversations/{conversation}"
    assert anna.session.patch(url, json={"title": "Rivers"}, timeout=10).ok
    body = {"query": "Where does it rise?", "conversation": conversation}
    assert anna.session.post(f"{anna.url}/stream", json=body, timeout=30).ok
    assert anna.call("GET", f"/conversations/{conversation}")[1]["title"] == "Rivers"


def test_of_a_deleted_document_nothing_is_found(anna: Caller) -> None:
    conversation = new_run()
    added = anna.add("rivers.md", RIVERS, conversation=conversation)
    kept = anna.add("other.md", RIVERS, collection="notes")
    path = f"/documents/{added['id']}"
    assert anna.call("DELETE", path) == (200, {"deleted": added["id"]})
    for method, deeper in (("GET", path), ("GET", f"{path}/text"), ("DELETE", path)):
        assert anna.refusal(method, deeper) == (404, "document_not_found", "document")
    assert anna.call("DELETE", "/documents", collection="notes") == (200, {"deleted": "notes"})
    assert anna.refusal("GET", f"/documents/{kept['id']}")[0] == 404
    assert anna.refusal("DELETE", "/documents", collection="notes")[1] == "collection_not_found"


def test_a_document_goes_with_its_conversation_and_comes_back_with_it(anna: Caller) -> None:
    conversation = new_run()
    added = anna.add("rivers.md", RIVERS, conversation=conversation)
    anna.call("DELETE", f"/conversations/{conversation}")
    assert anna.refusal("GET", f"/documents/{added['id']}")[0] == 404
    assert anna.refusal("GET", "/documents", conversation=conversation)[0] == 404
    anna.call("POST", f"/conversations/{conversation}/restore")
    assert anna.call("GET", f"/documents/{added['id']}") == (200, added)


def test_a_search(server: Server, anna: Caller) -> None:
    added = anna.add("rivers.md", RIVERS, collection="handbook")
    anna.add("bread.md", b"Knead the dough for ten minutes.", collection="bread")
    (found,) = anna.call("GET", "/documents/search", query="What feeds a freshet?")[1]["passages"]
    assert found["content"].endswith("A freshet is a flood that melting snow feeds.")
    assert found["metadata"] == {"source": "rivers.md", "title": "Rivers", "page": None, "heading": "Floods", "document": added["id"]}  # fmt: skip
    assert found["score"] == 1.0
    assert anna.call("GET", "/documents/search", query="freshet", collection="bread")[1] == {"passages": []}
    assert anna.refusal("GET", "/documents/search", query="x", collection="no") == (404, "collection_not_found", "collection")  # fmt: skip
    assert anna.refusal("GET", "/documents/search", query=" ") == (400, "empty", "query")
    assert anna.refusal("GET", "/documents/search", query="x", limit="51") == (400, "invalid_type", "limit")
    assert anna.call("GET", "/documents/search", query='?!*"AND NEAR(')[1] == {"passages": []}
    assert Caller(server).call("GET", "/documents/search", query="freshet")[1] == {"passages": []}


def test_nobody_else_has_it(server: Server, anna: Caller) -> None:
    ben, conversation = Caller(server), new_run()
    private = anna.add("rivers.md", RIVERS, conversation=conversation)
    in_collection = anna.add("rivers.md", RIVERS, collection="handbook")
    for added in (private, in_collection):
        path = f"/documents/{added['id']}"
        for method, deeper in (("GET", path), ("GET", f"{path}/text"), ("DELETE", path)):
            assert ben.refusal(method, deeper) == (404, "document_not_found", "document")
        assert anna.call("GET", path)[0] == 200
    assert ben.call("GET", "/documents")[1] == {"collections": []}
    assert ben.refusal("GET", "/documents", collection="handbook")[0] == 404
    assert ben.refusal("DELETE", "/documents", collection="handbook")[0] == 404
    assert ben.refusal("GET", "/documents", conversation=conversation)[0] == 404
    assert ben.refusal("POST", "/documents", data=RIVERS, name="a.md", conversation=conversation)[0] == 404
    assert len(anna.call("GET", "/documents", conversation=conversation)[1]["documents"]) == 1


def test_a_caller_without_an_owner_has_no_documents(server: Server) -> None:
    nobody = requests.Session()
    for method, path in (("GET", "/documents"), ("POST", "/documents?name=a.md&collection=a")):
        response = nobody.request(method, f"{server.url}{path}", data=RIVERS, timeout=10)
        assert (response.status_code, response.json()["error"]["code"]) == (401, "no_owner")


BAD: dict[str, tuple[dict[str, str], bytes, tuple[int, str, str | None]]] = {
    "no name": ({"collection": "a"}, RIVERS, (400, "empty", "name")),
    "a name of control characters": ({"name": "\x01\x02", "collection": "a"}, RIVERS, (400, "empty", "name")),
    "no place": ({"name": "a.md"}, RIVERS, (400, "no_place", "collection")),
    "two places": (
        {"name": "a.md", "collection": "a", "conversation": "c" * 22},
        RIVERS,
        (400, "two_places", "collection"),
    ),
    "a collection without a name": ({"name": "a.md", "collection": " "}, RIVERS, (400, "bad_collection", "collection")),
    "a collection of two lines": ({"name": "a.md", "collection": "a\nb"}, RIVERS, (400, "bad_collection", "collection")),
    "no conversation's id": ({"name": "a.md", "conversation": "x"}, RIVERS, (400, "bad_conversation", "conversation")),
    "nothing": ({"name": "a.md", "collection": "a"}, b"", (400, "document_empty", None)),
    "white space": ({"name": "a.md", "collection": "a"}, b" \n ", (400, "document_empty", None)),
    "a program named as text": ({"name": "a.md", "collection": "a"}, b"\x7fELF\x00" * 50, (415, "document_type", None)),
    "a damaged PDF": ({"name": "a.pdf", "collection": "a"}, b"%PDF-1.7\nrubbish", (400, "document_unreadable", None)),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_stored_leaves_nothing(anna: Caller, case: str) -> None:
    query, data, expected = BAD[case]
    assert anna.refusal("POST", "/documents", data=data, **query) == expected
    assert anna.call("GET", "/documents")[1] == {"collections": []}


def test_a_file_that_is_too_large_is_refused(anna: Caller) -> None:
    too_large = bytes(MAX_FILE_BYTES + 1)
    status, code, _ = anna.refusal("POST", "/documents", data=too_large, name="a.txt", collection="a")
    assert status == 413
    assert code
    assert anna.call("GET", "/documents")[1] == {"collections": []}


def test_documents_count_in_the_quota() -> None:
    with Server({"FRESHET_ACCESS": "public", "FRESHET_VISITOR_STORED_BYTES": "50000"}) as small:
        anna = Caller(small)
        anna.add("rivers.md", RIVERS, collection="a")
        large = b"".join(b"Line %d of a text that is too long.\n" % number for number in range(2_000))
        assert anna.refusal("POST", "/documents", data=large, name="b.txt", collection="a")[0] in (413, 429)
        assert len(anna.call("GET", "/documents", collection="a")[1]["documents"]) == 1
