"""The log of a real server, in both forms: an answer's lines name its run, and nothing in them is secret (S18)."""

import json

import pytest

from tests.support.dialects import openai
from tests.support.fake_provider import FakeProvider
from tests.support.script import Answer
from tests.support.server import Server

RUN = "Canary12" + "R" * 14
TOKEN, QUESTION, KEY = "share-token-" + "T" * 20, "canary-question", "sk-canary-provider-key"


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_answers_lines_name_its_run_and_nothing_is_secret(form: str) -> None:
    overloaded = Answer(status=529, steps=[KEY.encode()])
    with FakeProvider([overloaded, Answer(steps=openai(["Hello"]))]) as provider:
        env = {
            "FRESHET_LOG_FORMAT": form,
            "FRESHET_PUBLIC": "true",
            "FRESHET_VISITOR_MODELS": "all",
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "FRESHET_MODEL": "gpt-4.1",
            "GUNICORN_CMD_ARGS": "--access-logfile -",
        }
        with Server(env, secrets=(RUN, TOKEN, QUESTION, KEY)) as server:
            body = server.request("POST", f"/stream?q={QUESTION}", {"query": QUESTION, "run": RUN})[2]
            assert b'"done":true' in body
            server.request("GET", f"/stream/{RUN}", Referer=f"http://x/{QUESTION}")
            server.request("GET", f"/shared/{TOKEN}")
            server.wait_log("/shared/")
            about = [line for line in server.log.splitlines() if "Canary12" in line]
            lines = server.log.splitlines()
    texts = (
        "started with",
        "upstream_overloaded",
        "done (stop)",
        '"POST /stream"',
        '"GET /stream/Canary12…"',
    )
    if form == "json":
        bodies = [json.loads(line) for line in lines if line.startswith("{")]
        assert len(bodies) >= len(lines) - 1, lines  # gunicorn's own first line may come before the settings
        about = [
            json.dumps(one["message"]).replace('\\"', '"') for one in bodies if one.get("run") == "Canary12"
        ]
        requests = [one for one in bodies if one["logger"] == "gunicorn.access"]
        assert {"method", "path", "status", "bytes", "ms", "address"} <= requests[0].keys()
        texts = (*texts[:4], "GET /stream/Canary12")
    for text in texts:
        assert any(text in line for line in about), (text, lines)
