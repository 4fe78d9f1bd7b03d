"""The page's files, under an address that holds a digest of them all, so that they may be kept for ever.

WhiteNoise serves them before Flask is asked: they are the same for everybody, also where the gate is shut.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from webapp.assets.bundle import Modules, apart, join
from webapp.assets.minifier import minified

if TYPE_CHECKING:
    from wsgiref.headers import Headers
    from wsgiref.types import WSGIApplication

Words = dict[str, str]

_DIGEST_CHARS = 16
# What the page loads once its first picture is there, or when it is first needed.
_BESIDE = ("render/index.js", "sidebar/list.js", "chat/attachments.js", "images/viewer.js", "turn/sources.js")


class Assets:
    """The tree under `static/`, read once, at the start.

    `first` are the files with modules of the first picture, `beside` those that are loaded beside it, `shared` those
    of the page that a link shows, and `words` what the server's own pages say, by language.
    """

    first: list[str]
    beside: list[str]
    shared: list[str]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._modules = join(folder)
        self.digest = self._digest()
        self.words = read_words(folder)
        self._list(self._modules)

    def url(self, name: str) -> str:
        """Give a file's address below the application's root."""
        return f"/static/{self.digest}/{name}"

    def serve(self, application: WSGIApplication) -> WSGIApplication:
        """Put the files before an application. Each is compressed once, in a folder that ends with it."""
        served = WhiteNoise(
            application,
            allow_all_origins=False,
            add_headers_function=_add_headers,
            immutable_file_test=lambda _path, _url: True,
        )
        try:
            folder = Path(tempfile.mkdtemp(prefix="freshet-static-"))
            weakref.finalize(served, shutil.rmtree, folder, ignore_errors=True)
            served.add_files(str(self.write(folder)), prefix=self.url(""))
        except OSError:  # nowhere to write: the files as they are
            self._list(apart(self.folder))
            served.add_files(str(self.folder), prefix=self.url(""))
        wsgi: WSGIApplication = served
        return wsgi

    def write(self, folder: Path) -> Path:
        """Write the files as they are served, and compressed beside them, into an empty folder; give it back.

        Modules are joined, and they and styles made small. Each module is there under its own name too, for whoever
        wants one alone; the page asks for none of those.
        """
        for path, name in zip(self._files, self._names(), strict=True):
            shutil.copyfile(path, _place(folder, name))
        styles = {name: (folder / name).read_text("utf-8") for name in self._names() if name.endswith(".css")}
        for name, text in minified(self._modules.texts | styles).items():
            _place(folder, name).write_text(text, "utf-8")
        compressor = Compressor(quiet=True)
        for name in [*self._modules.texts, *(name for name in self._names() if not name.endswith(".js"))]:
            if compressor.should_compress(name):
                compressor.compress(str(folder / name))
        return folder

    def _names(self) -> list[str]:
        return [path.relative_to(self.folder).as_posix() for path in self._files]

    def _list(self, modules: Modules) -> None:
        self.first = ["page.js", *modules.reached("page.js")]
        self.shared = ["shared.js", *modules.reached("shared.js")]
        later = [name for entry in _BESIDE for name in (entry, *modules.reached(entry))]
        self.beside = [name for name in dict.fromkeys(later) if name not in self.first]

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for path in self._files:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.folder).as_posix()}\0{len(content)}\0".encode() + content)
        # Another version of the server may join the same modules in another way.
        digest.update(repr(self._modules.holds).encode())
        return digest.hexdigest()[:_DIGEST_CHARS]


def read_words(static: Path) -> dict[str, Words]:
    """Read the words of the sign-in and its like, by language."""
    return msgspec.json.decode((static / "strings" / "gate.json").read_bytes(), type=dict[str, Words])


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _add_headers(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
