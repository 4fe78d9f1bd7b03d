"""The page's modules, joined: those that are always loaded together are served as one file.

A browser asks for six files at a time over HTTP/1.1, and a small file compresses badly: apart, the page is over a
hundred requests and a third heavier. What is written needs none of this; a browser and Node load it as it stands.

Modules are put one behind the other, what they import before them. So no two of a file may give one name to different
things, and none may call anything of its own by the name of something that a browser has: its neighbours may use that.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

# What a page names in a script element.
ROOTS = ("page.js", "shared.js", "prefetch.js", "offline.js")

# What stands at the beginning of a line. (Searching for `^` takes several times as long as for a line's end.)
_IMPORT = re.compile(r'\nimport \{\s*(\w+(?:,\s*\w+)*),?\s*\} from "([^"]+)";(?=\n)')
_EXPORT = re.compile(r"\nexport (?=(?:async )?(?:function\*?|class|const|let) (\w+))")
_NOTHING = re.compile(r"\nexport \{\};(?=\n)")
_DECLARED = re.compile(r"\n(?:async )?(?:function\*?|class|const|let) (\w+)")
_OTHER = re.compile(r"\n(?:import|export)\b(?!\().*")
# Comments name modules too, for their types: `import("./tree.js").Node`.
_LATER = re.compile(r'import\("([^"]+)"\)(?!\.[A-Z])')


class Unjoinable(ValueError):
    """Modules can't be joined as they are written; the message names the file, and what stands in the way.

    Names are imported and given as they are, from the beginning of a line, and each means one thing in a file.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    """One module: as it is written, and without what it imports and gives; `imports` are names by their module."""

    text: str
    body: str
    imports: dict[str, list[str]]
    later: list[str]
    exports: list[str]
    declared: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Modules:
    """What is served: the text of each file, the modules that it holds, and which files it imports at once."""

    texts: dict[str, str]
    holds: dict[str, list[str]]
    _imports: dict[str, list[str]] = field(repr=False)

    def reached(self, entry: str) -> list[str]:
        """List what a file imports, and what that imports, in the order in which a browser finds it."""
        return _closure(entry, self._imports.__getitem__)[1:]


def apart(folder: Path) -> Modules:
    """Read the modules under a folder, and leave each as it is."""
    modules = _read(folder)
    imports = {name: list(module.imports) for name, module in modules.items()}
    texts = {name: module.text for name, module in modules.items()}
    return Modules(texts=texts, holds={name: [name] for name in modules}, _imports=imports)


def join(folder: Path, roots: Iterable[str] = ROOTS) -> Modules:
    """Read the modules under a folder and join them. What no root reaches is not among them."""
    modules = _read(folder)
    ways, entries = _ways(modules, [root for root in roots if root in modules])
    groups: dict[tuple[tuple[str, ...], ...], list[str]] = {}
    for name in _ordered(modules, ways):
        groups.setdefault(tuple(ways[name]), []).append(name)
    return _joined({_file_of(names, entries): names for names in groups.values()}, modules, entries)


def _read(folder: Path) -> dict[str, _Module]:
    """Read all modules, by their names below the folder."""
    modules = {}
    for path in sorted(folder.rglob("*.js")):
        name = path.relative_to(folder).as_posix()
        text = path.read_text("utf-8")
        lines = f"\n{text}"
        body = _NOTHING.sub("", _EXPORT.sub("\n", _IMPORT.sub("", lines)))
        imports: dict[str, list[str]] = {}
        for names, target in _IMPORT.findall(lines):
            imports.setdefault(_resolved(name, target), []).extend(re.findall(r"\w+", names))
        modules[name] = _Module(
            text=text,
            body=body[1:],
            imports=imports,
            later=[_resolved(name, target) for target in _LATER.findall(text)],
            exports=_EXPORT.findall(lines),
            declared=_DECLARED.findall(body),
        )
    return modules


def _resolved(name: str, target: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), target))


def _closure(entry: str, near: Callable[[str], Iterable[str]]) -> list[str]:
    found = [entry]
    for name in found:
        found += [each for each in dict.fromkeys(near(name)) if each not in found]
    return found


def _ways(modules: dict[str, _Module], roots: list[str]) -> tuple[dict[str, list[tuple[str, ...]]], set[str]]:
    """Say of each module by which roots it is loaded, and if later, for which modules; and name what is asked for.

    Modules of which the same is said are loaded together, always.
    """
    ways: dict[str, list[tuple[str, ...]]] = {}
    entries = set(roots)
    for root in roots:
        at_once = _closure(root, lambda name: modules[name].imports)
        ever = _closure(root, lambda name: [*modules[name].imports, *modules[name].later])
        later = sorted({target for name in ever for target in modules[name].later} - set(at_once))
        entries.update(later)
        reached = {target: set(_closure(target, lambda name: modules[name].imports)) for target in later}
        for name in ever:
            way = () if name in at_once else tuple(target for target in later if name in reached[target])
            ways.setdefault(name, []).append((root, *way))
    return ways, entries


def _ordered(modules: dict[str, _Module], names: Iterable[str]) -> list[str]:
    """List each module behind those that it imports."""
    done: dict[str, None] = {}

    def add(name: str) -> None:
        if name not in done:
            for target in modules[name].imports:
                add(target)
            done[name] = None

    for name in names:
        add(name)
    return list(done)


def _file_of(names: list[str], entries: set[str]) -> str:
    """Name a file as what is asked for by its name, if that is in it, and else so that it is taken for no module."""
    entry = next((name for name in names if name in entries), None)
    return entry or (names[0] if len(names) == 1 else f"joined/{names[0]}")


@dataclass(slots=True, kw_only=True)
class _File:
    """One file under way: what it imports from other files, and the names that are taken in it."""

    name: str
    heads: dict[str, list[str]] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)

    def take(self, name: str, thing: str) -> None:
        if self.taken.setdefault(name, thing) != thing:
            raise Unjoinable(f"{self.name}: {name} is {self.taken[name]} and {thing}")

    def add(self, name: str, module: _Module, home: dict[str, str]) -> str:
        """Give a module's text as it stands in this file."""
        if found := _OTHER.search(f"\n{module.body}"):
            raise Unjoinable(f"{name}: {found[0].strip()}")
        for declared in module.declared:
            self.take(declared, f"{name} {declared}")
        for target, wanted in module.imports.items():
            for each in wanted:
                self.take(each, f"{target} {each}")
            if home[target] != self.name:
                self.heads.setdefault(home[target], []).extend(wanted)
        return _LATER.sub(
            lambda found: f'import("{_path(home[_resolved(name, found[1])], self.name)}")', module.body
        )

    def head(self) -> str:
        """Write what it imports."""
        return "".join(
            f'import {{ {", ".join(dict.fromkeys(names))} }} from "{_path(target, self.name)}";\n'
            for target, names in self.heads.items()
        )


def _path(target: str, file: str) -> str:
    """Write how one file names another."""
    path = posixpath.relpath(target, posixpath.dirname(file) or ".")
    return path if path.startswith("../") else f"./{path}"


def _joined(groups: dict[str, list[str]], modules: dict[str, _Module], entries: set[str]) -> Modules:
    """Write all files."""
    home = {name: file for file, names in groups.items() for name in names}
    given: dict[str, set[str]] = {name: set(modules[name].exports) for name in entries}
    for name, file in home.items():
        for target, wanted in modules[name].imports.items():
            if home[target] != file:
                given.setdefault(target, set()).update(wanted)
    texts, imports = {}, {}
    for file, names in groups.items():
        made = _File(name=file)
        body = "".join(made.add(name, modules[name], home) for name in names)
        exports = ", ".join(sorted(each for name in names for each in given.get(name, ())))
        tail = f"export {{ {exports} }};\n" if exports else ""
        texts[file] = f"{made.head()}{body}{tail}"
        imports[file] = list(made.heads)
    return Modules(texts=texts, holds=groups, _imports=imports)
