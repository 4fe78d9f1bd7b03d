"""The reasoning that a model has sealed: stored with a cut answer, given back when it is continued, and shown to nobody.

The provider is `tests.support.claude`, which refuses it in any other form, or anywhere else.
"""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.store.conftest import Apps
from tests.store.people import Person, new_run, share, text_of
from tests.support import claude
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer, Call, refusal
from webapp.app import create_app
from webapp.settings import Settings
from webapp.store.branches import load_branch
from webapp.store.conversation_cache import ConversationCache
from webapp.store.rows import ROW_BYTES
from webapp.store.schema import messages

KEY, MODEL, OTHER = "sk-ant", "claude-opus-5-5", "claude-sonnet-5-5"
CUT = [("redacted_thinking", ""), ("thinking", "They ask why."), ("text", "Because it")]
CLAUDE = {"provider": "anthropic", "model": MODEL}


class Claude:
    """Breaks its first answers off, and finishes the others; notes what it refused."""

    def __init__(self, provider: FakeProvider, cuts: int = 1) -> None:
        self._provider = provider
        self._left = cuts
        self._count = itertools.count(1)
        self.refusals: list[str] = []
        provider.play(self._answer)

    def _answer(self, call: Call) -> Answer:
        key = call.headers.get("x-api-key", "")
        reason = claude.refuse(call.json, key)
        if reason is not None:
            self.refusals.append(reason)
            return refusal(
                400, {"type": "error", "error": {"type": "invalid_request_error", "message": reason}}
            )
        self._left -= 1
        if self._left >= 0:
            return Answer(steps=claude.think(call.json, CUT, key, None))
        return Answer(steps=claude.think(call.json, [("text", f" is so ({next(self._count)}).")], key))

    @property
    def given_back(self) -> list[str]:
        """The types of the blocks that the last call gave back."""
        before = self._provider.calls[-1].json["messages"][-2:-1]
        content = before[0]["content"] if before else ""
        return [] if isinstance(content, str) else [block["type"] for block in content[:-1]]

    @property
    def signatures(self) -> list[str]:
        """What the first answer was signed with."""
        blocks = claude.signed_blocks(self._provider.calls[0].json, CUT[:2], KEY)
        return [block.get("signature") or block["data"] for block in blocks]


def settings(provider: FakeProvider) -> dict[str, str]:
    return {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": provider.url}


@pytest.fixture(scope="session")
def claude_apps(provider: FakeProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apps]:
    created = Apps(provider, tmp_path_factory.mktemp("claude"), **settings(provider))
    yield created
    created.close()


@pytest.fixture(params=["sqlite", "postgres"])
def parts(request: pytest.FixtureRequest, claude_apps: Apps) -> Iterator[Flask]:
    """An application whose provider is Claude."""
    url = request.getfixturevalue("migrated_url") if request.param == "postgres" else None
    app = claude_apps.on(request.param, url)
    yield app
    assert app.extensions["freshet"].store.saver.flush(5.0)


def stored(app: Flask, message: str) -> str | None:
    """Return what the database has of an answer's reasoning."""
    store = app.extensions["freshet"].store
    assert store.saver.flush(5.0)
    found: str | None = store.read(
        lambda c: c.execute(select(messages.c.sealed).where(messages.c.id == message)).scalar_one()
    )
    return found


def forget(app: Flask) -> None:
    """Empty what the process remembers, as a restart does."""
    parts = app.extensions["freshet"]
    assert parts.store.saver.flush(5.0)
    parts.store.cache = parts.store._turns._cache = ConversationCache()
    parts.runs._runs.clear()
    parts.runs.memory._ended.clear()


def test_a_cut_answer_is_continued_with_its_reasoning(
    parts: Flask, anna: Person, provider: FakeProvider
) -> None:
    api, name = Claude(provider, cuts=2), new_run()
    cut = anna.ask(name, "Why?", **CLAUDE)
    assert (cut.text, cut.last["code"]) == ("Because it", "interrupted")
    sealed = stored(parts, cut.id)
    forget(parts)
    longer = anna.ask(None, **CLAUDE, **{"continue": cut.id})
    assert longer.last["code"] == "interrupted"
    assert (api.given_back, api.refusals) == (["redacted_thinking", "thinking"], [])
    assert stored(parts, longer.id) == sealed, "the longer answer begins with the same reasoning"
    whole = anna.ask(None, **CLAUDE, **{"continue": longer.id})
    assert (api.given_back, api.refusals) == (["redacted_thinking", "thinking"], [])
    assert text_of(anna.conversation(name)["messages"][whole.id]).endswith(" is so (1).")
    assert stored(parts, whole.id) is None, "the turn has ended"


def test_an_answer_that_was_cut_within_its_thinking_begins_anew(
    parts: Flask, anna: Person, provider: FakeProvider
) -> None:
    name = new_run()
    provider.play(lambda call: Answer(steps=claude.think(call.json, CUT[:2], KEY, None)))
    cut = anna.ask(name, "Why?", **CLAUDE)
    assert (cut.text, cut.last["code"], stored(parts, cut.id)) == ("", "interrupted", None)
    api = Claude(provider)
    again = anna.ask(None, **CLAUDE, **{"continue": cut.id})
    assert again.text == "Because it"
    assert [message["role"] for message in provider.calls[-1].json["messages"]] == ["user"]
    assert stored(parts, again.id) is not None
    anna.ask(None, **CLAUDE, **{"continue": again.id})
    assert (api.given_back, api.refusals) == (["redacted_thinking", "thinking"], [])


def test_no_reader_ever_gets_it(parts: Flask, anna: Person, nobody: Person, provider: FakeProvider) -> None:
    api, name = Claude(provider), new_run()
    cut = anna.ask(name, "Why is the sky blue?", **CLAUDE)
    whole = anna.ask(None, **CLAUDE, **{"continue": cut.id})
    assert stored(parts, cut.id) is not None
    path = share(anna, name, leaf=cut.id)
    shown = [
        json.dumps([*cut.frames, *whole.frames]),
        *(
            anna.do("GET", each).text
            for each in (
                f"/conversations/{name}",
                f"/conversations/{name}/export",
                f"/conversations/{name}/export?format=markdown",
                "/conversations?q=because",
                f"/runs/{cut.id}",
                f"/stream/{cut.id}",
            )
        ),
        nobody.do("GET", path).text,
        json.dumps(nobody.get(path)),
    ]
    assert "Because it" in shown[1]
    for secret in (*api.signatures, "binding", "sealed"):
        assert not [text for text in shown if secret in text], secret


def test_an_imported_conversation_has_none(
    parts: Flask, anna: Person, ben: Person, provider: FakeProvider
) -> None:
    api, name = Claude(provider), new_run()
    cut = anna.ask(name, "Why?", **CLAUDE)
    exported = anna.get(f"/conversations/{name}/export")
    exported["messages"][1]["sealed"] = stored(parts, cut.id)
    for person in (anna, ben):
        imported = person.do("POST", "/conversations/import", exported).json
        leaf = person.conversation(imported["id"])["leaf"]
        assert stored(parts, leaf) is None
        whole = person.ask(None, **CLAUDE, **{"continue": leaf})
        assert whole.text.startswith("Because it is so")
        assert (api.given_back, api.refusals) == ([], [])


def test_another_model_gets_none_and_leaves_none(parts: Flask, anna: Person, provider: FakeProvider) -> None:
    api, name = Claude(provider, cuts=2), new_run()
    cut = anna.ask(name, "Why?", **CLAUDE)
    other = anna.ask(None, **CLAUDE | {"model": OTHER, "continue": cut.id})
    assert other.last["code"] == "interrupted"
    assert (api.given_back, stored(parts, other.id)) == ([], None)
    again = anna.ask(None, **CLAUDE, **{"continue": other.id})
    assert again.last["done"]
    assert (api.given_back, api.refusals) == ([], [])


def test_each_branch_has_its_own(parts: Flask, anna: Person, provider: FakeProvider) -> None:
    api, name = Claude(provider, cuts=3), new_run()
    cut = anna.ask(name, "Why?", **CLAUDE)
    again = anna.ask(name, parent=cut.start["question"], **CLAUDE)
    edited = anna.ask(name, "Why not?", parent=None, **CLAUDE)
    assert stored(parts, cut.id) == stored(parts, again.id)
    assert stored(parts, edited.id) not in (None, stored(parts, cut.id))
    for each in (edited, cut, again):
        anna.ask(None, **CLAUDE, **{"continue": each.id})
        assert (api.given_back, api.refusals) == (["redacted_thinking", "thinking"], [])
    # A new question below the cut answer sends its text alone.
    anna.ask(name, "And then?", parent=cut.id, **CLAUDE)
    assert all(isinstance(message["content"], str) for message in provider.calls[-1].json["messages"])
    assert api.refusals == []


def test_a_changed_system_prompt_leaves_it_out(parts: Flask, anna: Person, provider: FakeProvider) -> None:
    api, name = Claude(provider), new_run()
    cut = anna.ask(name, "Why?", system="Be brief.", **CLAUDE)
    assert anna.do("PATCH", f"/conversations/{name}", {"system": "Be long."}).status_code == 200
    anna.ask(None, **CLAUDE, **{"continue": cut.id})
    assert (api.given_back, api.refusals) == ([], [])


def test_it_is_stored_in_the_cache_for_a_database_that_is_away(
    parts: Flask, anna: Person, provider: FakeProvider
) -> None:
    Claude(provider)
    name = new_run()
    cut = anna.ask(name, "Why?", **CLAUDE)
    store = parts.extensions["freshet"].store
    sealed = stored(parts, cut.id)
    owner = next(iter(store.cache._conversations.values())).owner
    branch = store.cache.load_branch(owner, name, cut.id, new_run(), continues=True)
    assert branch.sealed == sealed is not None
    assert store.cache.load_branch(owner, name, cut.id, new_run()).sealed is None
    # From the database it gets there, too.
    forget(parts)
    anna.ask(None, **CLAUDE, **{"continue": cut.id})
    assert store.cache.load_branch(owner, name, cut.id, new_run(), continues=True).sealed == sealed
    assert store.read(lambda c: load_branch(c, owner, name, cut.id, new_run())).sealed is None


def test_it_counts_in_the_quota(parts: Flask, anna: Person, provider: FakeProvider) -> None:
    Claude(provider)
    cut = anna.ask(new_run(), "Why?", **CLAUDE)
    sealed = stored(parts, cut.id) or ""
    size: int = parts.extensions["freshet"].store.read(
        lambda c: c.execute(select(messages.c.size).where(messages.c.id == cut.id)).scalar_one()
    )
    assert size > ROW_BYTES + len(sealed) > ROW_BYTES + 100


def test_it_survives_a_restart(migrated_location: tuple[str | None, str], provider: FakeProvider) -> None:
    api, name = Claude(provider), new_run()
    url, folder = migrated_location
    environ = settings(provider) | {
        "FRESHET_MODEL": MODEL,
        "FRESHET_RETRIES": "0",
        "FRESHET_PUBLIC": "true",
        "FRESHET_VISITOR_STARTS": "100000",  # the database counts those of other tests too
        "FRESHET_DATA_DIR": folder,
        **({"DATABASE_URL": url} if url else {}),
    }

    def serve() -> tuple[Flask, Person]:
        app = create_app(Settings.read(environ))
        return app, Person(app.test_client(use_cookies=False), "anna")

    app, person = serve()
    cut = person.ask(name, "Why?")
    app.extensions["freshet"].store.close(5.0)
    app, person = serve()
    try:
        assert person.ask(None, **{"continue": cut.id}).text == "Because it is so (1)."
        assert (api.given_back, api.refusals) == (["redacted_thinking", "thinking"], [])
    finally:
        app.extensions["freshet"].store.close(5.0)


def test_a_damaged_one_is_left_out(parts: Flask, anna: Person, provider: FakeProvider) -> None:
    api, name = Claude(provider), new_run()
    cut = anna.ask(name, "Why?", **CLAUDE)
    sealed = stored(parts, cut.id) or ""
    changed = sealed.replace("They ask why.", "They ask what.")
    assert changed != sealed
    parts.extensions["freshet"].store.write(
        lambda c: c.execute(messages.update().where(messages.c.id == cut.id).values(sealed=changed))
    )
    whole = anna.ask(None, **CLAUDE, **{"continue": cut.id})
    assert whole.text.startswith("Because it is so")
    assert ["Invalid `signature`" in each for each in api.refusals] == [True]


def test_openai_s_endpoint_shows_none(parts: Flask, anna: Person, provider: FakeProvider) -> None:
    api = Claude(provider, cuts=0)
    del api
    provider.play(lambda call: Answer(steps=claude.think(call.json, CUT, KEY, "max_tokens")))
    for stream in (False, True):
        body: dict[str, Any] = {
            "model": f"anthropic/{MODEL}",
            "messages": [{"role": "user", "content": "Why?"}],
            "stream": stream,
        }
        response = anna.do("POST", "/v1/chat/completions", body)
        assert response.status_code == 200, response.text
        assert "Because" in response.text
        blocks = claude.signed_blocks(provider.calls[-1].json, CUT[:2], KEY)
        for secret in (blocks[0]["data"], blocks[1]["signature"], "sealed"):
            assert secret not in response.text
