"""Log lines: the run that they are about, their two forms, and what they never contain."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from tests.unit.engine import RunsWithoutPulse, answers, finish, scripted, start
from webapp.errors import UpstreamError
from webapp.logs import LineFormatter, run_context, set_run, shorten_ids
from webapp.offload import start_thread
from webapp.settings import Settings

RUN = "abcdefgh" + "X" * 14
SECRET = "sk-canary-9f8e"
FORMS = ("text", "json")


class Lines(logging.Handler):
    """Collects formatted lines."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.setFormatter(LineFormatter(form, [SECRET]))  # type: ignore[arg-type]
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(params=FORMS)
def lines(request: pytest.FixtureRequest) -> Iterator[Lines]:
    handler = Lines(request.param)
    logger = logging.getLogger("freshet")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(level)


log_ = logging.getLogger("freshet.runs")


def test_each_line_of_a_run_names_it_from_its_start_to_its_end(lines: Lines) -> None:
    runs = RunsWithoutPulse()
    failing = scripted(UpstreamError("upstream_overloaded"), name="anthropic")
    run = start(runs, failing, answers("Hi"), run=RUN)
    finish(runs, run)
    assert len(lines.lines) == 3, lines.lines
    for line, text in zip(
        lines.lines, ("started with anthropic", "upstream_overloaded", "done (stop)"), strict=True
    ):
        assert text in line
        assert RUN[:8] in line
        assert RUN[:9] not in line
    assert "calling again" in lines.lines[1]


def test_a_line_outside_a_run_names_none(lines: Lines) -> None:
    with run_context(RUN):
        log_.info("inside")
    log_.info("outside")
    assert RUN[:8] in lines.lines[0]
    assert RUN[:8] not in lines.lines[1]


def test_a_thread_of_a_run_is_about_the_same_run(lines: Lines) -> None:
    with run_context(RUN):
        start_thread(lambda: log_.info("within"), "t")
    for _ in range(1000):
        if lines.lines:
            break
        start_thread(lambda: None, "t")
    assert RUN[:8] in lines.lines[0]


def test_no_line_has_a_secret_and_no_callers_text_begins_a_line(lines: Lines) -> None:
    with run_context("a\nb" + RUN):
        try:
            raise ValueError(SECRET)
        except ValueError:
            log_.exception("GET /x\n2026-01-01 forged %s", SECRET)
    (line,) = lines.lines
    assert SECRET not in line
    assert "ValueError" in line
    assert not any(one.startswith("2026-01-01") for one in line.splitlines())


def test_json_has_fields() -> None:
    record = logging.LogRecord("freshet.x", logging.WARNING, "", 0, "a %s", ("b",), None)
    record.run = RUN
    body = json.loads(LineFormatter("json").format(record))
    assert body.pop("time").endswith("+00:00")
    assert body.pop("pid")
    assert body == {"level": "warning", "logger": "freshet.x", "run": RUN[:8], "message": "a b"}


def test_json_of_an_exception_is_one_line() -> None:
    try:
        raise ValueError("x")
    except ValueError:
        record = logging.LogRecord("freshet.x", logging.ERROR, "", 0, "a", (), sys.exc_info())
    line = LineFormatter("json").format(record)
    assert "\n" not in line
    assert "Traceback" in json.loads(line)["exception"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"/stream/{RUN}", "/stream/abcdefgh…"),
        (f"/stream/{RUN}/stop", "/stream/abcdefgh…/stop"),
        (f"/shared/{'t' * 43}", "/shared/tttttttt…"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/manifest.webmanifest", "/manifest.webmanifest"),
    ],
)
def test_ids_and_tokens_in_paths_are_shortened(path: str, expected: str) -> None:
    assert shorten_ids(path) == expected


def test_the_settings_name_their_secrets() -> None:
    settings = Settings.read(
        {
            "OPENAI_API_KEY": SECRET,
            "FRESHET_OPERATOR_KEY": "operator-1",
            "DATABASE_URL": "postgres://user:database-pw@host/db",
            "FRESHET_MODEL": "gpt",
        }
    )
    assert sorted(settings.secrets()) == ["database-pw", "operator-1", SECRET]


@pytest.fixture(autouse=True)
def _no_run() -> Iterator[None]:
    set_run(None)
    yield
    set_run(None)
