"""Serves the page's files below a path that holds a digest of them all, so that browsers may cache them for ever.

WhiteNoise serves them before Flask sees the request: they are public, on a locked server too.
"""

from __future__ import annotations

import hashlib
import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from webapp.assets import bundle, minifier
from webapp.assets.bundle import Bundles
from webapp.assets.cache import AssetCache, Build

if TYPE_CHECKING:
    from wsgiref.headers import Headers
    from wsgiref.types import WSGIApplication

Words = dict[str, str]

_DIGEST_CHARS = 16
# Entry modules that the page loads after its first paint, or when they are first needed.
_DEFERRED = (
    "render/index.js",
    "sidebar/list.js",
    "chat/attachments.js",
    "images/viewer.js",
    "turn/sources.js",
)


class Assets:
    """The files under `static/`, read once, at the start.

    `first` lists the scripts that the first paint needs, `beside` those that the page preloads for later, `shared` those of
    the page behind a shared link. `words` are the texts of the server's own pages, by language.
    """

    first: list[str]
    beside: list[str]
    shared: list[str]

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        """Read the files in `folder`. Built files are kept in the folder `cache`; without one they are temporary."""
        self.folder = folder
        self._files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._cache = AssetCache(cache)
        self._is_bundled = True
        self.digest = self._digest()
        self.words = msgspec.json.decode(
            (folder / "strings" / "status-pages.json").read_bytes(), type=dict[str, Words]
        )

    def url(self, name: str) -> str:
        """Return the path of a file, below the application's root."""
        return f"/static/{self.digest}/{name}"

    def site_url(self, entry: str) -> str:
        """Return the path of a script that other sites load, below the application's root."""
        return self.url(_site_folder(entry) + entry if self._is_bundled else entry)

    def serve(self, application: WSGIApplication) -> WSGIApplication:
        """Return a WSGI application that serves the files, and passes other requests on to `application`."""
        served = WhiteNoise(
            application,
            allow_all_origins=False,
            add_headers_function=_add_headers,
            immutable_file_test=lambda _path, _url: True,
        )
        try:
            folder, build = self._cache.get(self.digest, self.write)
        except OSError:  # nothing can be written: serve the sources
            self._is_bundled = False
            folder, build = (
                self.folder,
                self._describe(bundle.read_separately(self.folder), {}, is_minified=False),
            )
        self.first, self.beside, self.shared = build.first, build.beside, build.shared
        served.add_files(str(folder), prefix=self.url(""))
        wsgi: WSGIApplication = served
        return wsgi

    def write(self, folder: Path) -> Build:
        """Write the files as they are served, with their compressed versions, into an empty folder.

        Modules are bundled; bundles and styles are minified. Each source module is there under its own name too, for other
        sites that import one; the page requests none of those.
        """
        bundles = bundle.bundle_modules(self.folder)
        sites = {
            f"{_site_folder(entry)}{name}": text
            for entry in bundle.SITE_ENTRIES
            for name, text in bundle.bundle_modules(self.folder, [entry]).texts.items()
        }
        names = [path.relative_to(self.folder).as_posix() for path in self._files]
        for path, name in zip(self._files, names, strict=True):
            shutil.copyfile(path, _place(folder, name))
        styles = {name: (folder / name).read_text("utf-8") for name in names if name.endswith(".css")}
        texts = bundles.texts | sites | styles
        small = minifier.minify_files(texts)
        for name, text in (small or texts).items():
            _place(folder, name).write_text(text, "utf-8")
        compressor = Compressor(quiet=True)
        for name in [*bundles.texts, *sites, *(name for name in names if not name.endswith(".js"))]:
            if compressor.should_compress(name):
                compressor.compress(str(folder / name))
        files = (path for path in folder.rglob("*") if path.is_file())
        sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
        return self._describe(bundles, sizes, is_minified=small is not None)

    @staticmethod
    def _describe(bundles: Bundles, sizes: dict[str, int], *, is_minified: bool) -> Build:
        first = ["page.js", *bundles.imports_of("page.js")]
        later = [name for entry in _DEFERRED for name in (entry, *bundles.imports_of(entry))]
        return Build(
            files=sizes,
            first=first,
            beside=[name for name in dict.fromkeys(later) if name not in first],
            shared=["shared.js", *bundles.imports_of("shared.js")],
            is_minified=is_minified,
        )

    def _digest(self) -> str:
        digest = hashlib.sha256()
        for path in self._files:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(self.folder).as_posix()}\0{len(content)}\0".encode() + content)
        # Other versions of the server or its libraries may build other files from the same sources.
        for name in ("assets.py", "bundle.py", "minifier.py"):
            digest.update(Path(__file__).with_name(name).read_bytes())
        digest.update(f"{minifier.versions()},{_compressors()}".encode())
        return digest.hexdigest()[:_DIGEST_CHARS]


def _compressors() -> str:
    """Return what compresses: WhiteNoise, and Brotli where it is installed."""
    found = [f"{name}={metadata.version(name)}" for name in ("whitenoise", "brotli") if _is_installed(name)]
    return ",".join(found)


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _site_folder(entry: str) -> str:
    return f"sites/{Path(entry).stem}/"


def _place(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _add_headers(headers: Headers, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    # Other sites load the chat and the client module from here, by CORS and without cookies; none of it is a secret.
    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    headers["Access-Control-Allow-Origin"] = "*"
