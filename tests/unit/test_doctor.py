"""The doctor's judgements of what its probes observed, and what the server says and streams for it."""

import pytest
from msgspec.structs import replace

from webapp.api.doctor import describe_arrival, read_address, read_pace
from webapp.doctor.advice import recognize
from webapp.doctor.findings import (
    Arrival,
    Streamed,
    TimedRecord,
    judge_arrival,
    judge_duration,
    judge_silence,
    judge_steady,
    judge_upgrade,
)
from webapp.doctor.probes import Target
from webapp.errors import ConfigurationError, InvalidRequest

RIGHT = Arrival(
    headers={},
    host=True,
    https=True,
    prefix=True,
    prefix_header=False,
    forwarded=True,
    trusted=True,
    heartbeat_s=10,
)


def streamed(*arrived_s: float, complete: bool = True, status: int = 200, seconds: float = 3.0) -> Streamed:
    records = [TimedRecord(sent_s=number * 0.25, arrived_s=at) for number, at in enumerate(arrived_s)]
    return Streamed(status=status, encoding="", records=records, complete=complete, seconds=seconds)


def test_records_that_arrive_together_were_held_back() -> None:
    assert judge_steady(streamed(0.1, 0.35, 0.6, 0.85)) == []
    assert judge_steady(streamed(2.0, 2.25, 2.5, 2.75)) == []  # late, but evenly
    assert [one.code for one in judge_steady(streamed(0.9, 0.9, 0.9, 0.9))] == ["buffered"]
    assert [one.code for one in judge_steady(streamed(status=500))] == ["failed"]


@pytest.mark.parametrize(("cut_s", "is_note"), [(30.0, True), (60.0, True), (8.0, False), (11.0, False)])
def test_a_cut_is_a_note_where_heartbeats_come_in_time(cut_s: float, is_note: bool) -> None:
    (finding,) = judge_silence(streamed(0.1, complete=False, seconds=cut_s), 65, heartbeat_s=10)
    assert (finding.code, finding.is_note) == ("cut", is_note)
    assert f"after {cut_s:.0f} s" in finding.text


def test_a_gateway_timeout_is_a_cut_and_a_refusal_is_none() -> None:
    assert judge_silence(streamed(complete=False, status=504, seconds=5), 65, 10)
    assert judge_silence(streamed(complete=False, status=429, seconds=0.1), 65, 10) == []
    assert [one.code for one in judge_duration(streamed(0.1, complete=False, seconds=30), 65)] == ["ended"]


def test_an_upgrade_must_pass_data_too() -> None:
    assert judge_upgrade(101, ponged=True) == []
    assert all(judge_upgrade(status, ponged=False) for status in (0, 101, 400, 426, 502))


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"host": False}, ["host"]),
        ({"https": False}, ["https"]),
        ({"https": False, "trusted": False}, ["https", "untrusted"]),
        ({"trusted": False}, ["untrusted"]),
        ({"trusted": False, "forwarded": False}, []),
        ({"prefix": False}, ["prefix_untold"]),
    ],
)
def test_an_arrival_is_judged(changes: dict[str, bool], codes: list[str]) -> None:
    assert [one.code for one in judge_arrival(replace(RIGHT, **changes))] == codes


def test_the_arrival_has_booleans_only() -> None:
    canary = "canary-value"
    body = describe_arrival(
        read_address("https://Chat.example.org/chat/"),
        {"Origin", "Authorization"},
        host=canary,
        secure=True,
        script_root="/chat",
        trusted=True,
        heartbeat_s=10.0,
    )
    assert canary not in str(body)
    assert (body["host"], body["https"], body["prefix"]) == (False, True, True)
    headers = body["headers"]
    assert isinstance(headers, dict)
    assert {type(value) for value in headers.values()} == {bool}
    assert headers["Origin"] is True
    assert headers["Cookie"] is False


@pytest.mark.parametrize("url", ["", "chat.example.org", "ftp://x", "http://[", "https://" + "x" * 1_000])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        read_address(url)


@pytest.mark.parametrize(
    ("seconds", "every_ms"),
    [("121", "250"), ("0", "250"), ("nan", "250"), ("inf", "250"), ("3", "49"), ("3", "x"), ("3", "9999999")],
)
def test_a_test_stream_is_bounded(seconds: str, every_ms: str) -> None:
    with pytest.raises(InvalidRequest):
        read_pace(seconds, every_ms)


def test_proxies_are_recognized_by_what_they_send() -> None:
    assert recognize({"server": "nginx/1.26"}) == "nginx"
    assert recognize({"server": "cloudflare", "cf-ray": "1"}) == "Cloudflare"
    assert recognize({"server": "gunicorn", "via": "1.1 Caddy"}) == "Caddy"
    assert recognize({"server": "gunicorn", "via": "1.1 heroku-router"}) == "Heroku"
    assert recognize({"server": "gunicorn"}) is None


@pytest.mark.parametrize("url", ["ftp://x", "https://", "http://x:99999", "http://x/?q=1"])
def test_the_command_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Target(url, None, None)


def test_an_address_is_split_into_origin_and_prefix() -> None:
    target = Target("chat.example.org:8443/chat/", None, None)
    assert (target.origin, target.prefix, target.secure) == ("https://chat.example.org:8443", "/chat", True)
