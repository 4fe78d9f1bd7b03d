"""Share links show one branch of a conversation and nothing else."""

from typing import Any

import pytest
from flask import Flask

from tests.store.people import Person, data_url, new_run, png, share, text_of
from webapp.errors import Unavailable


def test_a_link_shows_one_branch_and_nothing_else(anna: Person, nobody: Person) -> None:
    name = new_run()
    first = anna.ask(name, "One?", system="A secret instruction.")
    anna.ask(name, "Another branch?", parent=None)
    anna.do("PATCH", f"/conversations/{name}", {"leaf": first.id})
    path = share(anna, name)
    anna.ask(name, "Asked after it was shared?")
    response = nobody.do("GET", path)
    assert response.headers["X-Robots-Tag"].startswith("noindex")
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    shown = response.json
    assert [text_of(message) for message in shown["messages"]] == ["One?", first.text]
    assert set(shown) == {"title", "documents", "messages"}
    assert [set(message) for message in shown["messages"]] == [
        {"role", "content", "created_at"},
        {"role", "content", "created_at", "model", "state"},
    ]
    stored = anna.conversation(name)
    for secret in (
        "secret instruction",
        "Another branch",
        "after it was shared",
        "anna",
        name,
        *stored["messages"],
    ):
        assert secret not in response.text
    assert stored["shared_at"] > 0


def test_a_link_can_be_removed_and_a_new_one_replaces_the_old(anna: Person, nobody: Person) -> None:
    name = new_run()
    anna.ask(name, "One?")
    first, second = share(anna, name), share(anna, name)
    assert nobody.refused("GET", first)[:2] == (404, "share_not_found")
    assert nobody.do("GET", first).headers["X-Robots-Tag"].startswith("noindex")
    assert nobody.do("GET", second).status_code == 200
    for _ in range(2):
        assert anna.do("DELETE", f"/conversations/{name}/share").status_code == 200
    assert nobody.refused("GET", second)[:2] == (404, "share_not_found")
    assert anna.conversation(name)["shared_at"] is None


def test_the_owner_can_see_the_link_again(anna: Person, ben: Person, nobody: Person, parts: Flask) -> None:
    name = new_run()
    turn = anna.ask(name, "One?")
    path_of_link = f"/conversations/{name}/share"
    assert anna.get(path_of_link) == {"shared_at": None}
    path = share(anna, name)
    anna.ask(name, "Two?")
    link = anna.get(path_of_link)
    assert (link["path"], link["leaf"]) == (path, turn.id)
    assert link["shared_at"] == anna.conversation(name)["shared_at"]
    assert ben.refused("GET", path_of_link)[0] == 404
    assert nobody.refused("GET", path_of_link)[0] == 401
    anna.do("DELETE", path_of_link)
    assert anna.get(path_of_link) == {"shared_at": None}


def test_links_created_at_the_same_time_differ(
    anna: Person, nobody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = new_run()
    anna.ask(name, "One?")
    monkeypatch.setattr("webapp.store.shares.now_ms", lambda: 1_800_000_000_000)
    first, second = share(anna, name), share(anna, name)
    assert first != second
    assert nobody.do("GET", first).status_code == 404
    assert nobody.do("GET", second).status_code == 200


def test_a_link_of_another_secret_works_but_is_not_shown_again(
    anna: Person, nobody: Person, parts: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = new_run()
    anna.ask(name, "One?")
    path = share(anna, name)
    monkeypatch.setattr(parts.extensions["freshet"].secret, "_value", "another one")
    assert nobody.do("GET", path).status_code == 200
    anna.sign_in()  # her cookie was signed with the other secret
    link = anna.get(f"/conversations/{name}/share")
    assert (link["path"], link["token"]) == (None, None)
    assert link["shared_at"] > 0


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def as_browser(client: Person, path: str, **headers: str) -> Any:
    return client._client.get(path, headers={"Accept": BROWSER} | headers)


def test_a_browser_gets_a_page_and_a_program_gets_json(anna: Person, nobody: Person) -> None:
    name = new_run()
    anna.ask(name, "</script><b>One?", system="A secret instruction.")
    path = share(anna, name)
    page = as_browser(nobody, path)
    assert page.mimetype == "text/html"
    assert "Set-Cookie" not in page.headers
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert "Accept" in page.headers["Vary"]
    policy = page.headers["Content-Security-Policy"]
    for rule in (
        "default-src 'none'",
        "connect-src 'self'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ):
        assert rule in policy
    assert '<meta name="robots" content="noindex, nofollow">' in page.text
    assert '<meta name="referrer" content="no-referrer">' in page.text
    assert "<b>One" not in page.text
    for secret in ("secret instruction", "anna", name):
        assert secret not in page.text
    for accept in ("*/*", "application/json", "application/json, text/html"):
        link = nobody._client.get(path, headers={"Accept": accept})
        assert link.mimetype == "application/json"
        assert "Accept" in link.headers["Vary"]


@pytest.mark.parametrize(
    ("tag", "expected"), [("en", "This link no longer works"), ("de-CH", "funktioniert nicht mehr")]
)
def test_a_browser_gets_a_page_in_its_language_for_an_unknown_link(
    nobody: Person, tag: str, expected: str
) -> None:
    page = as_browser(nobody, f"/shared/{new_run()}", Accept_Language=tag)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert expected in page.text
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    assert "<script" not in page.text
    assert "Set-Cookie" not in page.headers
    image = as_browser(nobody, f"/shared/{new_run()}/images/x")
    assert (image.status_code, image.mimetype) == (404, "application/json")


def test_a_browser_gets_a_page_while_the_database_is_away(
    anna: Person, nobody: Person, parts: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = new_run()
    anna.ask(name, "One?")
    path = share(anna, name)

    def away(*_: object) -> None:
        raise Unavailable("The database is away.", retry_after_s=5)

    monkeypatch.setattr(parts.extensions["freshet"].store, "read", away)
    page = as_browser(nobody, path)
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert "temporarily unavailable" in page.text
    assert page.headers["Retry-After"]
    assert nobody.refused("GET", path)[0] == 503


def test_a_deleted_conversation_is_not_shown_until_it_is_restored(anna: Person, nobody: Person) -> None:
    name = new_run()
    anna.ask(name, "One?")
    path = share(anna, name)
    undo = anna.do("DELETE", f"/conversations/{name}").json["restore"]
    assert nobody.refused("GET", path)[:2] == (404, "share_not_found")
    anna.do("POST", undo)
    assert nobody.do("GET", path).status_code == 200


def test_a_leaf_can_be_chosen_and_must_exist(anna: Person, nobody: Person) -> None:
    name = new_run()
    first = anna.ask(name, "One?")
    anna.ask(name, "Two?")
    shown = nobody.get(share(anna, name, leaf=first.id))
    assert [text_of(message) for message in shown["messages"]] == ["One?", first.text]
    refusal = anna.refused("POST", f"/conversations/{name}/share", {"leaf": "nowhere"})
    assert refusal == (400, "message_not_found", "leaf")


@pytest.mark.parametrize("token", ["x", "%00", "../conversations", "a" * 2_000, "%F0%9F%92%A9"])
def test_an_unknown_token_is_refused(nobody: Person, token: str) -> None:
    assert nobody.do("GET", f"/shared/{token}").status_code == (400 if token == "%00" else 404)


def test_no_token_is_stored_in_the_database(anna: Person, parts: Flask) -> None:
    name = new_run()
    anna.ask(name, "One?")
    token = share(anna, name).rpartition("/")[2]
    rows = parts.extensions["freshet"].store.read(
        lambda c: c.exec_driver_sql("SELECT token, conversation, owner FROM shares").all()
    )
    assert len(rows) == 1
    assert token not in str(rows)


@pytest.mark.parametrize(("password", "status", "other_status"), [("secret", 200, 401), (None, 503, 503)])
def test_a_link_works_without_the_password_but_not_on_a_locked_server(
    anna: Person,
    parts: Flask,
    monkeypatch: pytest.MonkeyPatch,
    password: str | None,
    status: int,
    other_status: int,
) -> None:
    name = new_run()
    anna.ask(name, "One?")
    path = share(anna, name)
    monkeypatch.setattr(parts.extensions["freshet"].gate, "_password", password)
    monkeypatch.setattr(parts.extensions["freshet"].gate, "_public", False)
    client = parts.test_client(use_cookies=False)
    outside: dict[str, Any] = {"headers": {"Host": "chat.example", "X-Forwarded-For": "1.2.3.4"}}
    assert client.get(path, **outside).status_code == status
    outside["headers"]["Accept"] = BROWSER
    page = client.get(path, **outside)
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert client.get("/conversations", **outside).status_code == other_status
    assert client.get(f"/conversations/{name}", **outside).status_code == other_status


# Images.


def test_a_link_shows_no_image_of_another_branch(anna: Person, nobody: Person) -> None:
    name = new_run()
    anna.ask(name, "Hidden?", images=[data_url(png())])
    hidden = next(
        piece["image"]
        for message in anna.conversation(name)["messages"].values()
        for piece in message["content"]
        if piece["type"] == "image"
    )
    anna.ask(name, "Shown?", parent=None)
    assert nobody.refused("GET", f"{share(anna, name)}/images/{hidden}")[:2] == (404, "share_not_found")


# Documents.


def test_a_link_shows_the_documents_that_its_conversation_had(
    anna: Person, ben: Person, nobody: Person
) -> None:
    name, other = new_run(), new_run()
    rivers = anna.attach(name, "rivers.md", b"# Rivers\n\nThe Loire rises in the Ardeche.\n")
    elsewhere = anna.attach(other, "private.md", b"Nobody may read this.\n")
    anna.ask(name, "Where does the Loire rise?")
    path = share(anna, name)
    later = anna.attach(name, "later.md", b"Added after the conversation was shared.\n")
    shown = nobody.get(path)
    assert [document["id"] for document in shown["documents"]] == [rivers["id"]]
    assert shown["messages"][1]["sources"][0]["document"] == rivers["id"]
    part = nobody.get(f"{path}/documents/{rivers['id']}/text?at=20")
    assert "The Loire rises" in part["text"]
    for hidden in (later["id"], elsewhere["id"], new_run()):
        refused = nobody.refused("GET", f"{path}/documents/{hidden}/text")
        assert refused[:2] == (404, "document_not_found")
    assert nobody.refused("GET", f"{path}/documents/{rivers['id']}/text?at=x")[:2] == (400, "invalid_type")
    anna.do("DELETE", f"/conversations/{name}/share")
    assert nobody.refused("GET", f"{path}/documents/{rivers['id']}/text")[:2] == (404, "share_not_found")
