"""What every test may ask for."""

import os
import random
import signal

import pytest

from tests.support.certs import Certificates, make_certificates

# A shell's background job is made deaf to Ctrl-C, and so would be every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority for this run, and certificates good and bad."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Give a source of chance whose seed is printed, and can be given: FRESHET_TEST_SEED."""
    seed = int(os.environ.get("FRESHET_TEST_SEED", random.SystemRandom().randrange(2**32)))
    print(f"\nFRESHET_TEST_SEED={seed} for {request.node.nodeid}")
    return random.Random(seed)
