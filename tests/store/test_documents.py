"""Documents and collections in the store: who may search what, and that nothing of a deleted one is found."""

import pytest
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from webapp.access.principals import EVERYBODY
from webapp.errors import NotFound, TooLarge
from webapp.found_passage import FoundPassage
from webapp.frames import new_run
from webapp.parsed_document import ParsedDocument
from webapp.search.prepare import index_document
from webapp.sql import driver_cursor
from webapp.store import document_places, ownership
from webapp.store import documents as stored
from webapp.store.database import Database
from webapp.store.document_places import Place, put_in_place
from webapp.store.documents import SourceFile, StoredDocument
from webapp.store.new_documents import NewDocument, put_documents
from webapp.store.passage_index import count_words, scope_of
from webapp.store.quota import StorageLimits, check_owner_quota
from webapp.store.rows import now_ms
from webapp.store.schema import conversations, documents, passages
from webapp.store.store import Store


@pytest.fixture
def database(store: Store) -> Database:
    return store.database


RIVERS = """# Rivers

The Loire is the longest river in France. It rises in the Ardèche and ends in the Atlantic.

# Floods

A freshet is a flood that melting snow feeds. Dams held back the water in spring.
"""
BREAD = "Knead the dough for ten minutes, and let it rest beside the oven until it has doubled."


def put(database: Database, collection: str, source: str, body: str, owner: str = "anna") -> StoredDocument:
    parsed = ParsedDocument(title=source, text=body, media_type="text/markdown")

    def work(connection: Connection) -> StoredDocument:
        found = stored.create_collection(connection, owner, collection)
        new = NewDocument(document=index_document(parsed), file=SourceFile(source, source, 9))
        return put_documents(connection, owner, [new], collection=found)[0]

    return database.write(work)


def search(
    database: Database,
    query: str,
    names: list[str] | None = None,
    owner: str = "anna",
    grantees: tuple[str, ...] = (),
) -> list[FoundPassage]:
    def work(connection: Connection) -> list[FoundPassage]:
        ids = stored.find_collections(connection, owner, grantees, names)
        return stored.search_documents(connection, query, collection_ids=ids, conversation=None, limit=5)

    return database.read(work)


def count_indexed(database: Database) -> int:
    return database.read(lambda c: int(c.execute(text("SELECT count(*) FROM passage_words")).scalar() or 0))


def test_the_best_passage_comes_first_with_its_place(database: Database) -> None:
    put(database, "geography", "rivers.md", RIVERS)
    put(database, "cooking", "bread.txt", BREAD)
    found = search(database, "What feeds a freshet?")
    assert "melting snow" in found[0].text
    assert (found[0].source, found[0].page, found[0].score) == ("rivers.md", None, 1.0)
    assert RIVERS[found[0].start :].startswith(found[0].text)
    assert [one.source for one in search(database, "doubling doughs")] == ["bread.txt"]


def test_accents_case_and_stems_make_no_difference(database: Database) -> None:
    put(database, "geography", "rivers.md", RIVERS)
    for query in ("ARDECHE", "ardèche", "dam", "longest rivers"):
        assert search(database, query), query


@pytest.mark.parametrize("query", ["", "?!…", "'", '" OR "', "the", "* NEAR(", "\x00", "§", "𝔉 :*&|!<->"])
def test_any_query_is_answered(database: Database, query: str) -> None:
    put(database, "geography", "rivers.md", RIVERS)
    assert len(search(database, query)) <= 5


def test_a_script_without_spaces_is_searched_by_pairs_of_characters(database: Database) -> None:
    put(database, "地理", "川.txt", "卢瓦尔河是法国最长的河流。它流入大西洋。")
    put(database, "地理", "面包.txt", "揉面十分钟，然后让它休息。")
    assert [one.source for one in search(database, "最长的河流是什么？")] == ["川.txt"]


def test_a_collection_is_searched_by_its_owner_and_by_those_it_is_given_to(database: Database) -> None:
    put(database, "handbook", "bread.txt", BREAD, owner="operator")
    assert search(database, "dough", owner="ben") == []
    with pytest.raises(NotFound, match="handbook"):
        search(database, "dough", ["handbook"], owner="ben")
    database.write(lambda c: stored.grant_collection(c, "operator", "handbook", ["key:k1"]))
    assert search(database, "dough", owner="ben", grantees=(EVERYBODY,)) == []
    assert search(database, "dough", owner="ben", grantees=(EVERYBODY, "key:k1"))
    database.write(lambda c: stored.grant_collection(c, "operator", "handbook", [EVERYBODY]))
    assert search(database, "dough", ["handbook"], owner="ben", grantees=(EVERYBODY,))
    listed = database.read(lambda c: stored.list_collections(c, "ben", [EVERYBODY]))
    assert [(one.name, one.is_own, one.documents) for one in listed] == [("handbook", False, 1)]
    with pytest.raises(NotFound):
        database.write(lambda c: stored.delete_collection(c, "ben", "handbook"))


def test_a_document_replaces_the_one_with_its_source(database: Database) -> None:
    put(database, "notes", "a.md", RIVERS)
    put(database, "notes", "a.md", BREAD)
    assert search(database, "freshet") == []
    assert len(search(database, "dough")) == 1
    put(database, "other notes", "a.md", RIVERS)
    assert len(search(database, "freshet")) == 1


def test_of_a_deleted_document_nothing_is_left(database: Database) -> None:
    first = put(database, "notes", "a.md", RIVERS)
    second = put(database, "notes", "b.md", BREAD)
    assert database.write(lambda c: stored.delete_documents(c, "ben", [first.id])) == 0
    assert database.write(lambda c: stored.delete_documents(c, "anna", [first.id])) == 1
    assert search(database, "freshet") == []
    assert count_indexed(database) == second.passages
    database.write(lambda c: stored.delete_collection(c, "anna", "notes"))
    assert count_indexed(database) == 0
    assert database.read(lambda c: c.execute(select(func.count()).select_from(passages)).scalar()) == 0


def test_a_conversation_s_documents_are_found_there_alone_and_go_with_it(database: Database) -> None:
    name, other = new_run(), new_run()
    parsed = ParsedDocument(title="Rivers", text=RIVERS, media_type="text/markdown", pages=(0, 30))

    def prepare(connection: Connection) -> None:
        for each in (name, other):
            values = {"id": each, "owner": "anna", "title": "", "folded": ""}
            connection.execute(
                insert(conversations).values(values | {"created_at": now_ms(), "updated_at": now_ms()})
            )
        new = NewDocument(document=index_document(parsed), file=SourceFile("rivers.pdf", "d", 9))
        put_documents(connection, "anna", [new], conversation=name)

    database.write(prepare)

    def find(conversation: str) -> list[FoundPassage]:
        return database.read(
            lambda c: stored.search_documents(
                c, "freshet", collection_ids=[], conversation=conversation, limit=3
            )
        )

    assert [one.page for one in find(name)] == [2]
    assert find(other) == []
    assert search(database, "freshet") == []
    database.write(lambda c: c.execute(conversations.delete().where(conversations.c.id == name)))
    assert count_indexed(database) == 0


def test_common_words_choose_no_candidates_where_there_are_rare_ones(database: Database) -> None:
    def fill(connection: Connection) -> None:
        found = stored.create_collection(connection, "anna", "many")
        for number in range(60):
            body = f"The river number {number} is long." + (" It has a weir." if number == 42 else "")
            parsed = ParsedDocument(title=f"{number}", text=body, media_type="text/plain")
            new = NewDocument(document=index_document(parsed), file=SourceFile(f"{number}.txt", "", 9))
            put_documents(connection, "anna", [new], collection=found)

    database.write(fill, 30)
    if database.kind == "postgres":
        database.write(lambda c: c.execute(text("ANALYZE passage_words")))
    found = search(database, "Which river has a weir?")
    assert found[0].source == "42.txt"
    assert len(search(database, "the river is long")) == 5


def test_scopes_are_no_words_of_any_text() -> None:
    parsed = ParsedDocument(title="", text=f"a {scope_of('x')} b", media_type="text/plain")
    assert not any(word.startswith("§") for word in index_document(parsed).words[0].split())


def test_a_document_belongs_to_one(database: Database) -> None:
    put(database, "notes", "a.md", BREAD)
    with pytest.raises(Exception, match=r"(?i)constraint"):
        database.write(lambda c: c.execute(documents.update().values(collection=None)))


def test_documents_count_in_their_owner_s_quota(database: Database) -> None:
    stored_document = put(database, "notes", "a.md", BREAD)

    def check(limit: int) -> int:
        return database.write(lambda c: check_owner_quota(c, "anna", 0, limit, "documents"))

    assert check(stored_document.size) == stored_document.size
    with pytest.raises(TooLarge):
        check(stored_document.size - 1)
    assert database.write(lambda c: check_owner_quota(c, "ben", 0, 10, "documents")) == 0


def test_documents_move_with_their_owner_and_a_taken_name_gets_a_number(database: Database) -> None:
    put(database, "notes", "a.md", BREAD, owner="visitor")
    put(database, "notes", "b.md", RIVERS, owner="anna")
    database.write(lambda c: ownership.move(c, "visitor", "anna"))
    listed = database.read(lambda c: stored.list_collections(c, "anna", []))
    assert [(one.name, one.documents) for one in listed] == [("notes", 1), ("notes (2)", 1)]
    assert search(database, "dough")
    assert search(database, "dough", owner="visitor") == []


def put_named(database: Database, name: str, place: Place) -> None:
    parsed = ParsedDocument(title=name, text=BREAD, media_type="text/plain")
    database.write(
        lambda c: put_in_place(
            c,
            "anna",
            index_document(parsed),
            SourceFile(name, name, 9),
            place,
            StorageLimits(owner_bytes=10**9),
        )
    )


def test_a_full_collection_takes_another_version_of_what_it_has(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_places, "MAX_COLLECTION_DOCUMENTS", 2)
    monkeypatch.setattr(document_places, "MAX_COLLECTIONS", 1)
    notes = Place(collection="notes")
    for name in ("a.md", "b.md", "a.md"):
        put_named(database, name, notes)
    for name, place in (("c.md", notes), ("a.md", Place(collection="other"))):
        with pytest.raises(TooLarge):
            put_named(database, name, place)
    assert {found.source for found in search(database, "dough")} == {"a.md", "b.md"}
    listed = database.read(lambda c: stored.list_collections(c, "anna", []))
    assert [(one.name, one.documents) for one in listed] == [("notes", 2)]


def test_a_conversation_has_so_many_documents(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_places, "MAX_CONVERSATION_DOCUMENTS", 1)
    place = Place(conversation=new_run())
    put_named(database, "a.md", place)
    with pytest.raises(TooLarge):
        put_named(database, "b.md", place)
    (kept,) = database.read(lambda c: stored.list_documents(c, conversation=place.conversation))
    assert kept.source == "a.md"


def test_added_documents_wait_nowhere_to_be_sorted_into_the_index(database: Database) -> None:
    """What waits is read whole for every word of a search."""
    if database.kind != "postgres":
        pytest.skip("SQLite has no such list")
    put(database, "manual", "rivers.md", RIVERS)
    waiting = text("SELECT gin_clean_pending_list('passage_words_index')")
    assert database.write(lambda c: c.execute(waiting).scalar()) == 0


def test_errors_of_the_driver_are_those_of_sqlalchemy(database: Database) -> None:
    def fail(connection: Connection) -> None:
        with driver_cursor(connection) as cursor:
            cursor.execute("SELECT absent FROM documents")

    if database.kind != "postgres":
        pytest.skip("nothing asks SQLite by its driver's cursor")
    with pytest.raises(DBAPIError, match="absent"):
        database.write(fail)
    put(database, "manual", "bread.md", BREAD)
    assert [one.source for one in search(database, "dough")] == ["bread.md"]


def test_of_documents_with_one_name_the_last_is_kept(database: Database) -> None:
    def work(connection: Connection) -> list[StoredDocument]:
        found = stored.create_collection(connection, "anna", "manual")
        added = [
            NewDocument(
                document=index_document(ParsedDocument(title="t", text=body, media_type="text/plain")),
                file=SourceFile("notes.md", body, 9),
            )
            for body in (BREAD, RIVERS)
        ]
        return put_documents(connection, "anna", added, collection=found)

    assert [one.digest for one in database.write(work)] == [RIVERS]
    assert search(database, "dough") == []
    assert search(database, "freshet") != []


def test_words_are_counted_after_much_was_added(database: Database) -> None:
    put(database, "manual", "rivers.md", RIVERS)
    database.write(count_words)
    if database.kind == "postgres":
        known = text("SELECT count(*) FROM pg_stats WHERE tablename = 'passage_words' AND attname = 'words'")
        assert database.read(lambda c: c.execute(known).scalar()) == 1
    assert search(database, "freshet") != []
