"""The page's files, under an address that holds a digest of them all, so that browsers may keep them for ever.

WhiteNoise serves them before Flask is asked: they are the same for everybody, also where the server is locked.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from webapp.assets import bundle, minifier
from webapp.assets.bundle import Modules
from webapp.assets.cache import AssetCache, Build

if TYPE_CHECKING:
    from wsgiref.headers import Headers
    from wsgiref.types import WSGIApplication

Words = dict[str, str]

_DIGEST_CHARS = 16
# What the page loads once its first picture is there, or when it is first needed.
_BESIDE = (
    "render/index.js",
    "sidebar/list.js",
    "chat/attachments.js",
    "images/viewer.js",
    "turn/sources.js",
)


class Assets:
    """The tree under `static/`, read once, at the start.

    `first` are the files with modules that the first picture needs, `beside` those that are loaded beside it, `shared`
    those of the page behind a shared link, and `words` the texts of the server's own pages, by language.
    """

    first: list[str]
    beside: list[str]
    shared: list[str]

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        """Read the files in `folder`. Built files are kept in the folder `cache`, or built anew for each server."""
        self.folder = folder
        self._files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._cache = AssetCache(cache)
        self.digest = self._digest()
        self.words = msgspec.json.decode(
            (folder / "strings" / "gate.json").read_bytes(), type=dict[str, Words]
        )

    def url(self, name: str) -> str:
        """Return a file's address below the application's root."""
        return f"/static/{self.digest}/{name}"

    def serve(self, application: WSGIApplication) -> WSGIApplication:
        """Return an application that serves the files, and passes other requests on."""
        served = WhiteNoise(
            application,
            allow_all_origins=False,
            add_headers_function=_add_headers,
            immutable_file_test=lambda _path, _url: True,
        )
        try:
            folder, build = self._cache.get(self.digest, self.write)
        except OSError:  # nowhere to write: the files as they are
            folder, build = self.folder, self._described(bundle.apart(self.folder), {})
        self.first, self.beside, self.shared = build.first, build.beside, build.shared
        served.add_files(str(folder), prefix=self.url(""))
        wsgi: WSGIApplication = served
        return wsgi

    def write(self, folder: Path) -> Build:
        """Write the files as they are served, and compressed beside them, into an empty folder.

        Modules are bundled, and they and styles minified. Each module is there under its own name too, for whoever
        wants one alone; the page asks for none of those.
        """
        modules = bundle.join(self.folder)
        names = [path.relative_to(self.folder).as_posix() for path in self._files]
        for path, name in zip(self._files, names, strict=True):
            shutil.copyfile(path, _place(folder, name))
        styles = {name: (folder / name).read_text("utf-8") for name in names if name.endswith(".css")}
        for name, text in minifier.minified(modules.texts | styles).items():
            _place(folder, name).write_text(text, "utf-8")
        compressor = Compressor(quiet=True)
        for name in [*modules.texts, *(name for name in names if not name.endswith(".js"))]:
            if compressor.should_compress(name):
                compressor.compress(str(folder / name))
        files = (path for path in folder.rglob("*") if path.is_file())
        sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
        return self._described(modules, sizes)

    @staticmethod
    def _described(modules: Modules, sizes: dict[str, int]) -> Build:
        first = ["page.js", *modules.reached("page.js")]
        later = [name for entry in _BESIDE for name in (entry, *modules.reached(entry))]
        return Build(
            files=sizes,
            first=first,
            beside=[name for name in dict.fromkeys(later) if name not in first],
            shared=["shared.js", *modules.reached("shared.js")],
        )

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for path in self._files:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.folder).as_posix()}\0{len(content)}\0".encode() + content)
        # Another version of the server may build other files of the same sources.
        for name in ("assets.py", "bundle.py", "minifier.py"):
            digest.update(Path(__file__).with_name(name).read_bytes())
        digest.update(minifier.version().encode())
        return digest.hexdigest()[:_DIGEST_CHARS]


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _add_headers(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
