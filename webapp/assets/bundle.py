"""Bundles the page's modules: those that are always loaded together are served as one file.

A browser requests six files at a time over HTTP/1.1, and small files compress badly: unbundled, the page is over a hundred
requests and a third larger. The sources need no build: browsers and Node load them as they are.

A bundle is its modules' texts one after the other, imported modules first. So two modules of a bundle must not use one name
for different things, and no module may declare a name that its neighbours use for a global of the browser.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

# The modules that pages name in script elements.
ENTRIES = ("page.js", "shared.js", "prefetch.js", "offline.js")
# Those that other sites load: each has its own bundles, so that the page is not split for their sake.
SITE_ENTRIES = ("client.js", "embed.js", "embed/widget.js")

# All patterns match from a line's start, written as "\n" because searching for `^` takes several times as long.
_IMPORT = re.compile(r'\nimport \{\s*(\w+(?:,\s*\w+)*),?\s*\} from "([^"]+)";(?=\n)')
_EXPORT = re.compile(r"\nexport (?=(?:async )?(?:function\*?|class|const|let) (\w+))")
_EMPTY_EXPORT = re.compile(r"\nexport \{\};(?=\n)")
_DECLARATION = re.compile(r"\n(?:async )?(?:function\*?|class|const|let) (\w+)")
_UNSUPPORTED = re.compile(r"\n(?:import|export)\b(?!\().*")
# Comments contain type imports too, such as `import("./tree.js").Node`: those are followed by a capital letter.
_DYNAMIC_IMPORT = re.compile(r'import\("([^"]+)"\)(?!\.[A-Z])')

_Chunk = tuple[str, ...]  # an entry, and the dynamic imports by which it loads a module


class BundleError(ValueError):
    """The modules cannot be bundled as they are written; the message names the file and the line or name.

    Imports and exports must begin a line and use no aliases, and a name must mean one thing in a bundle.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    """A source module. `body` is its text without imports and `export`; `imports` lists names by module."""

    text: str
    body: str
    imports: dict[str, list[str]]
    dynamic_imports: list[str]
    exports: list[str]
    declared: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundles:
    """The served files: the text of each, the names of the modules in each, and the files that each imports statically."""

    texts: dict[str, str]
    modules: dict[str, list[str]]
    _imports: dict[str, list[str]] = field(repr=False)

    def imports_of(self, file: str) -> list[str]:
        """Return the files that a file imports, directly or not, in the order in which a browser finds them."""
        return _reachable(file, self._imports.__getitem__)[1:]


def read_separately(folder: Path) -> Bundles:
    """Return the modules under a folder unchanged, each as a file of its own."""
    modules = _read(folder)
    imports = {name: list(module.imports) for name, module in modules.items()}
    texts = {name: module.text for name, module in modules.items()}
    return Bundles(texts=texts, modules={name: [name] for name in modules}, _imports=imports)


def bundle_modules(folder: Path, entries: Iterable[str] = ENTRIES) -> Bundles:
    """Return the modules under a folder in bundles; modules that no entry reaches are left out. Raises `BundleError`."""
    modules = _read(folder)
    chunks, requested = _assign_chunks(modules, [entry for entry in entries if entry in modules])
    groups: dict[tuple[_Chunk, ...], list[str]] = {}
    for name in _sorted_by_import(modules, chunks):
        groups.setdefault(tuple(chunks[name]), []).append(name)
    return _write({_file_name(names, requested): names for names in groups.values()}, modules, requested)


def _read(folder: Path) -> dict[str, _Module]:
    """Parse all modules under a folder; names are paths below it."""
    modules = {}
    for path in sorted(folder.rglob("*.js")):
        name = path.relative_to(folder).as_posix()
        text = path.read_text("utf-8")
        lines = f"\n{text}"
        body = _EMPTY_EXPORT.sub("", _EXPORT.sub("\n", _IMPORT.sub("", lines)))
        imports: dict[str, list[str]] = {}
        for names, target in _IMPORT.findall(lines):
            imports.setdefault(_resolve(name, target), []).extend(re.findall(r"\w+", names))
        modules[name] = _Module(
            text=text,
            body=body[1:],
            imports=imports,
            dynamic_imports=[_resolve(name, target) for target in _DYNAMIC_IMPORT.findall(text)],
            exports=_EXPORT.findall(lines),
            declared=_DECLARATION.findall(body),
        )
    return modules


def _resolve(name: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


def _reachable(start: str, neighbours: Callable[[str], Iterable[str]]) -> list[str]:
    """Return all names that can be reached from `start`, itself first, breadth first."""
    found = [start]
    for name in found:
        found += [each for each in dict.fromkeys(neighbours(name)) if each not in found]
    return found


def _assign_chunks(
    modules: dict[str, _Module], entries: list[str]
) -> tuple[dict[str, list[_Chunk]], set[str]]:
    """Return for each module by which entries it is loaded, and by which dynamic imports where it is not loaded at once.

    Modules with equal values are always loaded together. Also returns all modules that are requested by name: the entries
    and the targets of dynamic imports.
    """
    chunks: dict[str, list[_Chunk]] = {}
    requested = set(entries)
    for entry in entries:
        at_once = _reachable(entry, lambda name: modules[name].imports)
        ever = _reachable(entry, lambda name: [*modules[name].imports, *modules[name].dynamic_imports])
        later = sorted({target for name in ever for target in modules[name].dynamic_imports} - set(at_once))
        requested.update(later)
        reached = {target: set(_reachable(target, lambda name: modules[name].imports)) for target in later}
        for name in ever:
            by = () if name in at_once else tuple(target for target in later if name in reached[target])
            chunks.setdefault(name, []).append((entry, *by))
    return chunks, requested


def _sorted_by_import(modules: dict[str, _Module], names: Iterable[str]) -> list[str]:
    """Return the modules in an order where each comes after those that it imports."""
    done: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in done:
            for target in modules[name].imports:
                add(target)
            done[name] = None

    for name in names:
        add(name)
    return list(done)


def _file_name(names: list[str], requested: set[str]) -> str:
    """Name a bundle after its requested module, or `joined/<first module>` if it has none and several modules."""
    entry = next((name for name in names if name in requested), None)
    return entry or (names[0] if len(names) == 1 else f"joined/{names[0]}")


@dataclass(slots=True, kw_only=True)
class _BundleWriter:
    """One bundle while it is written: its imports from other files, and what each name in it stands for."""

    file: str
    imports: dict[str, list[str]] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)

    def _claim(self, name: str, meaning: str) -> None:
        if self.meanings.setdefault(name, meaning) != meaning:
            raise BundleError(f"{self.file}: {name} is {self.meanings[name]} and {meaning}")

    def add(self, name: str, module: _Module, file_of: dict[str, str]) -> str:
        """Return a module's text as it stands in this bundle. Raises `BundleError`."""
        if found := _UNSUPPORTED.search(f"\n{module.body}"):
            raise BundleError(f"{name}: {found[0].strip()}")
        for declared in module.declared:
            self._claim(declared, f"{name} {declared}")
        for target, imported in module.imports.items():
            for each in imported:
                self._claim(each, f"{target} {each}")
            if file_of[target] != self.file:
                self.imports.setdefault(file_of[target], []).extend(imported)
        return _DYNAMIC_IMPORT.sub(
            lambda found: f'import("{_relative(file_of[_resolve(name, found[1])], self.file)}")', module.body
        )

    def head(self) -> str:
        """Return the import statements."""
        return "".join(
            f'import {{ {", ".join(dict.fromkeys(names))} }} from "{_relative(target, self.file)}";\n'
            for target, names in self.imports.items()
        )


def _relative(target: str, file: str) -> str:
    path = posixpath.relpath(target, posixpath.dirname(file) or ".")
    return path if path.startswith("../") else f"./{path}"


def _write(groups: dict[str, list[str]], modules: dict[str, _Module], requested: set[str]) -> Bundles:
    """Write all bundles; a bundle exports what other files import of it, and all of a requested module."""
    file_of = {name: file for file, names in groups.items() for name in names}
    exported: dict[str, set[str]] = {name: set(modules[name].exports) for name in requested}
    for name, file in file_of.items():
        for target, imported in modules[name].imports.items():
            if file_of[target] != file:
                exported.setdefault(target, set()).update(imported)
    texts, imports = {}, {}
    for file, names in groups.items():
        writer = _BundleWriter(file=file)
        body = "".join(writer.add(name, modules[name], file_of) for name in names)
        exports = ", ".join(sorted(each for name in names for each in exported.get(name, ())))
        tail = f"export {{ {exports} }};\n" if exports else ""
        texts[file] = f"{writer.head()}{body}{tail}"
        imports[file] = list(writer.imports)
    return Bundles(texts=texts, modules=groups, _imports=imports)
