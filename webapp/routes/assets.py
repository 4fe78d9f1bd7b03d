"""The page's files, under an address that holds a digest of them all, so that they may be kept for ever.

WhiteNoise serves them before Flask is asked: they are the same for everybody, also where the gate is shut.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import rjsmin
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from webapp.routes.words import read_words

if TYPE_CHECKING:
    from wsgiref.headers import Headers
    from wsgiref.types import WSGIApplication

_DIGEST_CHARS = 16
# What the page loads once its first picture is there, or when it is first needed.
_BESIDE = ("render.js", "elements/list.js", "elements/tray.js", "viewer.js", "sources.js")
# `import … from "./x.js"` and `export … from "./x.js"`; what is imported when needed has another form.
_IMPORT = re.compile(r"""^(?:import|export)\b(?:[^;"']*\bfrom\b)?\s*["']([^"']+)["'];""", re.MULTILINE)


class Assets:
    """The tree under `static/`, read once, at the start.

    `first` are the modules of the first picture, `beside` those that are loaded beside it, `shared` those of the
    page that a link shows, and `words` what the server's own pages say, by language.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = sorted(path for path in folder.rglob("*") if path.is_file())
        self.digest = self._digest()
        self.words = read_words(folder)
        self.first = ["page.js", *self._reached("page.js")]
        self.shared = ["shared.js", *self._reached("shared.js")]
        later = [name for entry in _BESIDE for name in (entry, *self._reached(entry))]
        self.beside = [name for name in dict.fromkeys(later) if name not in self.first]

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
            served.add_files(str(self.folder), prefix=self.url(""))
        wsgi: WSGIApplication = served
        return wsgi

    def write(self, folder: Path) -> Path:
        """Write the files as they are served, and compressed beside them, into an empty folder; give it back.

        Modules go without their comments: a third of their weight, of which a browser has no use.
        """
        compressor = Compressor(quiet=True)
        for path in self._files:
            copy = folder / path.relative_to(self.folder)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".js":
                copy.write_text(rjsmin.jsmin(path.read_text("utf-8")), "utf-8")
            else:
                shutil.copyfile(path, copy)
            if compressor.should_compress(path.name):
                compressor.compress(str(copy))
        return folder

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for path in self._files:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.folder).as_posix()}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()[:_DIGEST_CHARS]

    def _reached(self, entry: str) -> list[str]:
        """List what a module imports, and what that imports, in the order in which a browser finds it."""
        found = [entry]
        for module in found:
            found += [name for name in self._imports(module) if name not in found]
        return found[1:]

    def _imports(self, module: str) -> Iterable[str]:
        source = self.folder / module
        for target in dict.fromkeys(_IMPORT.findall(source.read_text("utf-8"))):
            yield (source.parent / target).resolve().relative_to(self.folder.resolve()).as_posix()


def _add_headers(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
