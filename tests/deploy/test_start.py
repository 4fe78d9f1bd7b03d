"""A server that cannot start prints the reason in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fake_provider import closed_port
from tests.support.server import ROOT

PEM = "-----BEGIN CERTIFICATE-----\nnothing of the kind\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_certificates_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    """The worker finds it after the master has read the settings; gunicorn alone would print sixty lines."""
    path = tmp_path / "ca.pem"
    path.write_text(PEM)
    env = {"PATH": os.environ["PATH"], "PORT": str(closed_port()), "OPENAI_API_KEY": "k", name: str(path)}
    command = [sys.executable, "-m", "gunicorn", "-c", "python:webapp.server", "webapp:create_app()"]
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30)
    assert ended.returncode
    told = [line for line in ended.stderr.splitlines() if "ca.pem" in line]
    assert len(told) == 1, ended.stderr
    assert name in told[0]
    assert "Traceback" not in ended.stderr
