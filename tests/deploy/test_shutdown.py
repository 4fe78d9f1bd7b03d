"""A worker that gets SIGTERM before it has installed its handlers still ends."""

import os
import subprocess
import sys

from tests.support.server import ROOT

# The signal arrives in the child's first moment, while it still has its master's
# handlers, which only record it for a loop that the child never runs.
FORKING = """
import os, signal
from webapp import server

signal.signal(signal.SIGTERM, lambda number, frame: None)
server.pre_fork(None, None)
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGTERM)
    try:
        server.post_fork(None, None)
    except SystemExit as told:
        os._exit(40 + told.code)
    os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_a_worker_told_to_go_at_its_first_moment_goes() -> None:
    """Otherwise the master waits for its whole grace of 25 s."""
    command = [sys.executable, "-c", FORKING]
    env = {"PATH": os.environ["PATH"]}
    ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=20)
    assert ended.stdout == "40 set()\n", ended.stderr
