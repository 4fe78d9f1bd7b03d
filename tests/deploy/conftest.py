"""Two virtual environments, made once a run: one from the wheel, one from requirements.txt alone."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.installation import copy_checkout, make_venv, pip


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A virtual environment's `bin`, and the checkout that it was installed from."""

    bin: Path
    source: Path


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project without build products."""
    return copy_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="session")
def from_wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment with only the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    pip(
        Path(sys.executable).parent,
        "wheel",
        str(checkout),
        "--no-deps",
        "--wheel-dir",
        str(folder),
        cwd=folder,
    )
    (wheel,) = folder.glob("freshet-*.whl")
    bin_ = make_venv(folder / "venv", str(wheel), cwd=folder)
    return Installed(bin=bin_, source=wheel)


@pytest.fixture(scope="session")
def from_pins(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment as a host creates it: requirements.txt, in a copy of the checkout."""
    folder = tmp_path_factory.mktemp("pins")
    bin_ = make_venv(folder / "venv", "-r", "requirements.txt", cwd=checkout)
    return Installed(bin=bin_, source=checkout)
