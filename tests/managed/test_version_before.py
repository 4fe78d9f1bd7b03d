"""The code of the version before, from the repository's history, on a database that this version has migrated and used."""

import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.faults.answers import new_run
from tests.faults.conversations import Person
from tests.managed.conftest import settings
from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.postgres import Postgres
from tests.support.script import Answer
from tests.support.server import ROOT, Server
from tests.survival.workers import migrate
from webapp.store.schema import HEAD

pytestmark = pytest.mark.managed
VERSIONS = "webapp/store/migrations/versions"


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, timeout=60).stdout


def commit_before() -> str | None:
    """Return the newest commit without the newest revision; None without the repository's history."""
    for commit in git("log", "--first-parent", "--format=%H").decode().split():
        files = git("ls-tree", "--name-only", commit, f"{VERSIONS}/").decode()
        if files and f"/v{HEAD}_" not in files:
            return commit
    return None


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of the version before."""
    commit = commit_before()
    if commit is None:
        pytest.skip("the history is missing: a shallow clone, or a source archive")
    folder = tmp_path_factory.mktemp("before")
    with tarfile.open(fileobj=BytesIO(git("archive", commit))) as archive:
        archive.extractall(folder, filter="data")
    print(f"the version before is {commit[:12]}")
    return folder


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The variables that say where the servers store."""
    found = {"FRESHET_DATA_DIR": str(tmp_path)}
    if request.param == "sqlite":
        yield found
        return
    with Postgres() as postgres:
        url = postgres.new_url()
        migrate(url)
        yield found | {"DATABASE_URL": url}


def test_it_reads_and_writes_what_this_version_has_stored(
    before: Path, place: dict[str, str], provider: FakeProvider
) -> None:
    provider.play(Answer(steps=openai(["Hello."])))
    env, name, other = settings(provider) | place, new_run(), new_run()
    with Server(env) as now:
        anna = Person(now)
        anna.ask(name, "Now")
        anna.wait_kept(name, "Now", "Hello.")
    with Server(env, root=before) as old:
        anna = Person(old, anna.headers)
        assert anna.texts(name) == ["Now", "Hello."]
        anna.ask(name, "Before")
        anna.ask(other, "Another")
        anna.wait_kept(name, "Now", "Hello.", "Before", "Hello.")
        anna.wait_kept(other, "Another", "Hello.")
    with Server(env) as again:
        anna = Person(again, anna.headers)
        anna.ask(name, "Again")
        anna.wait_kept(name, "Now", "Hello.", "Before", "Hello.", "Again", "Hello.")
        assert anna.texts(other) == ["Another", "Hello."]
