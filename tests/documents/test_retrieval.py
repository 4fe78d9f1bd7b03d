"""A client in process finds what `freshet ingest` has taken in, and can send it along with a question."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from webapp.cli import main
from webapp.client.local import LocalClient
from webapp.errors import InvalidRequest, NotFound
from webapp.settings import Settings


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        fake.play(Answer(steps=openai(["In second class."])))
        yield fake


@pytest.fixture
def client(provider: FakeProvider, tmp_path: Path) -> Iterator[LocalClient]:
    settings = Settings(
        data_dir=str(tmp_path / "data"),
        openai_api_key="sk-x",
        openai_base_url=f"{provider.url}/v1",
    )
    with LocalClient(settings=settings, provider="openai", model="gpt-4.1") as created:
        yield created


@pytest.fixture
def ingested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two collections of one document each."""
    monkeypatch.setenv("FRESHET_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    for name, body in (
        ("travel", "# Trains\n\nTrains are paid for in second class."),
        ("food", "Fish on Fridays."),
    ):
        file = tmp_path / f"{name}.md"
        file.write_text(body)
        assert main(["ingest", str(file), "--collection", name]) == 0


@pytest.mark.usefixtures("ingested")
def test_passages_come_with_where_they_are_from(client: LocalClient) -> None:
    found = client.retrieve_only("Which class do trains have?")
    assert found[0]["content"].endswith("Trains are paid for in second class.")
    assert found[0]["metadata"].items() >= {"source": "travel.md", "title": "Trains", "page": None}.items()
    assert found[0]["score"] == 1.0
    assert client.retrieve_only("trains", collection="food") == []
    assert len(client.retrieve_only("class fish", limit=1)) == 1
    with pytest.raises(NotFound, match="nowhere"):
        client.retrieve_only("trains", collection="nowhere")


@pytest.mark.usefixtures("ingested")
def test_what_is_retrieved_is_sent_to_the_model(client: LocalClient, provider: FakeProvider) -> None:
    received: list[str] = []
    text = client.query_streaming(
        "Which class do trains have?", lambda delta, _: received.append(delta), retrieve=True
    )
    assert text == "".join(received) == "In second class."
    sent = provider.calls[0].json["messages"][0]
    assert sent["role"] == "user"
    assert '<passage n="1" file="travel.md">' in sent["content"]
    assert "second class" in sent["content"]


def test_nothing_is_created_where_there_is_nothing(client: LocalClient, tmp_path: Path) -> None:
    assert client.retrieve_only("trains") == []
    with pytest.raises(NotFound):
        client.retrieve_only("trains", collection="travel")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "options", [{"limit": 0}, {"limit": 51}, {"limit": True}, {"limit": "3"}, {"query": 7}]
)
def test_bad_arguments_are_named(client: LocalClient, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        client.retrieve_only(**{"query": "trains"} | options)
    assert refused.value.param == next(iter(options))
