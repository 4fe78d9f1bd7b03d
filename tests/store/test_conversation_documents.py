"""Documents of a conversation at the endpoints: they are part of it, and of its next answer."""

from tests.store.people import Person
from webapp.frames import new_run


def test_a_document_is_part_of_its_conversation(anna: Person) -> None:
    name = new_run()
    added = anna.attach(name, "rivers.md", b"The Loire.\n")
    assert added["file_bytes"] == 11
    assert anna.conversation(name)["documents"] == [added]
    anna.do("DELETE", f"/documents/{added['id']}")
    assert anna.conversation(name)["documents"] == []


def test_a_document_that_is_added_later_counts_for_the_next_question(anna: Person) -> None:
    name = new_run()
    first = anna.ask(name, "Hello?")
    assert not any("sources" in frame for frame in first.frames)
    added = anna.attach(name, "rivers.md", b"The Loire rises in the Ardeche.")
    turn = anna.ask(name, "Where does the Loire rise?", parent=first.id, at_leaf=True)
    sources = next(frame["sources"] for frame in turn.frames if "sources" in frame)
    assert [source["document"] for source in sources] == [added["id"]]


def test_a_conversation_that_begins_with_a_document_is_named_by_it_until_the_first_question(
    anna: Person,
) -> None:
    name = new_run()
    anna.attach(name, "rivers.md", b"The Loire rises in the Ardeche.")
    assert anna.titles() == ["rivers.md"]
    anna.ask(name, "Where does the Loire rise?")
    anna.get(f"/conversations/{name}")  # waits for the write
    assert anna.titles() == ["Where does the Loire rise?"]
