"""The process that reads a file: what it may do, its limits, and that nothing of it is left."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from xml.parsers.expat import ExpatError

import pytest

from webapp.documents import child, process
from webapp.documents.jobs import Job, ParseLimits
from webapp.documents.parse import DocumentParser
from webapp.documents.process import read_in_child
from webapp.errors import DocumentRefused, Unavailable

PROBE = Path(__file__).with_name("probe_child.py")
ROOT = PROBE.parents[2]


@pytest.fixture(autouse=True)
def _probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_CHILD", str(PROBE))


def read(name: str, data: bytes = b"", **limits: int) -> str:
    return read_in_child(Job(name, data), ParseLimits(**limits)).parsed.text


def refusal(name: str, data: bytes = b"", **limits: int) -> str:
    with pytest.raises(DocumentRefused) as refused:
        read(name, data, **limits)
    return refused.value.code


def own_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_the_child_has_nothing_of_its_parent_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with PROBE.open() as inherited:
        os.set_inheritable(inherited.fileno(), True)
        found = json.loads(read("freedoms"))
    assert set(found["environment"]) <= {"LD_LIBRARY_PATH", "LC_CTYPE"}  # the second is set by Python itself
    assert found["descriptors"] == [0, 1, 2]
    assert found["folder"] == "/"
    assert found["group"]
    assert found["priority"] >= 5
    assert not any("freedoms" in argument for argument in found["arguments"]), "others see arguments"


def test_the_child_can_open_neither_files_nor_connections() -> None:
    found = json.loads(read("freedoms"))
    assert (found["open"], found["connect"]) == ("EMFILE", "EMFILE")


@pytest.mark.parametrize("name", ["busy", "sleep"])
def test_a_file_that_takes_too_long_is_refused_in_time(name: str) -> None:
    begun = time.monotonic()
    assert refusal(name, b"60", time_s=1) == "document_timeout"
    assert time.monotonic() - begun < 10


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not limit memory")
def test_a_file_that_needs_too_much_memory_is_refused() -> None:
    assert read("memory", b"100000000") == "100000000"
    assert refusal("memory", b"600000000") == "document_too_large"


def test_a_text_that_is_too_long_is_refused() -> None:
    assert len(read("much", b"1000", text_chars=1000)) == 1000
    assert refusal("much", b"1001", text_chars=1000) == "document_too_large"


@pytest.mark.parametrize("name", ["crash", "silent"])
def test_a_child_without_an_outcome_is_a_damaged_file(name: str) -> None:
    assert refusal(name) == "document_unreadable"


def test_the_child_s_own_children_end_with_it(caplog: pytest.LogCaptureFixture) -> None:
    """They hold the child's socket, whose end is waited for."""
    assert refusal("grandchild", time_s=1) == "document_timeout"
    assert caplog.text == ""


def test_nothing_is_left_of_children(monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []
    plain = process._spawn

    def spawn(descriptor: int, limits: ParseLimits) -> int:
        pids.append(plain(descriptor, limits))
        return pids[-1]

    monkeypatch.setattr(process, "_spawn", spawn)
    read("first")
    before = own_descriptors()
    read("second")
    refusal("crash")
    refusal("busy", time_s=1)
    assert own_descriptors() == before
    assert len(pids) == 4
    for pid in pids:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


@pytest.mark.parametrize(
    "name",
    [
        "a word that names a scope",
        "a word with quotes",
        "fewer words than passages",
        "a passage beyond the text",
        "a page that is not",
        "two passages with one number",
    ],
)
def test_what_a_child_returns_is_checked(name: str) -> None:
    assert refusal(name) == "document_unreadable"


def test_at_most_two_files_are_read_at_once_and_others_wait() -> None:
    parser = DocumentParser(ParseLimits(time_s=20), wait_s=30)
    running = most = 0
    lock = threading.Lock()
    plain = process._spawn

    def spawn(descriptor: int, limits: ParseLimits) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        return plain(descriptor, limits)

    def end(pid: int, sock: object) -> None:
        nonlocal running
        with lock:
            running -= 1
        plain_end(pid, sock)  # type: ignore[arg-type]

    plain_end = process._end
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "_spawn", spawn)
        patch.setattr(process, "_end", end)
        done: list[str] = []
        threads = [
            threading.Thread(target=lambda: done.append(parser.parse("sleep", b"0.2\x00").parsed.text))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert (len(done), most) == (6, 2)


def test_who_waits_too_long_is_told_to_come_back() -> None:
    parser = DocumentParser(wait_s=0.2)
    threads = [threading.Thread(target=parser.parse, args=("sleep", b"3\x00")) for _ in range(2)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while parser._slots._value and time.monotonic() < deadline:  # type: ignore[attr-defined]
        time.sleep(0.01)
    with pytest.raises(Unavailable) as refused:
        parser.parse("sleep", b"3\x00")
    assert (refused.value.code, refused.value.status) == ("documents_busy", 503)
    for thread in threads:
        thread.join(30)
    assert parser.parse("again", b"\x00").parsed.text == "again"


GREENLETS = """
import gevent.monkey
gevent.monkey.patch_all()
import sys, time, gevent
from webapp.documents import child, process
from webapp.documents.jobs import Job, ParseLimits
from webapp.errors import DocumentRefused
process._CHILD = sys.argv[1]
ticks = 0
def tick():
    global ticks
    while True:
        gevent.sleep(0.01)
        ticks += 1
gevent.spawn(tick)
assert process.read_in_child(Job("sleep", b"1"), ParseLimits()).parsed.text == "slept"
large = b"x" * 8_000_000
assert process.read_in_child(Job("much", b"4000000"), ParseLimits()).parsed.text == "x" * 4_000_000
process.read_in_child(Job("large", large), ParseLimits())
try:
    process.read_in_child(Job("busy", b""), ParseLimits(time_s=1))
except DocumentRefused as error:
    print(error.code, ticks)
"""


def test_the_event_loop_goes_on_while_a_file_is_read() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GREENLETS, str(PROBE)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    code, ticks = done.stdout.split()
    assert code == "document_timeout"
    assert int(ticks) >= 20


def test_a_library_that_runs_out_of_memory_in_its_own_way_is_understood() -> None:
    expat = ExpatError("out of memory: line 1, column 0")
    expat.code = 1
    damaged = ExpatError("not well-formed (invalid token): line 1, column 0")
    damaged.code = 4
    assert child._is_of_memory(expat)
    assert not child._is_of_memory(damaged)
    later = ValueError("no document")
    later.__context__ = MemoryError()
    assert child._is_of_memory(later)
