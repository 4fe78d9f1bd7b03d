"""The import law of the house, for Python, and who may name which package and the environment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

WEBAPP = Path(__file__).resolve().parents[2] / "webapp"

# Lowest first. A module imports from the floors beneath it and, on its own floor, from modules named before
# it; inside a package freely. Edges never import each other. Modules yet to come have their place already.
FLOORS: dict[str, tuple[str, ...]] = {
    "values": ("errors", "chat", "events", "frames", "seams", "variables", "settings", "offload"),
    "pure": ("codecs", "framing", "models", "conversation"),
    "edges": ("providers", "journal", "store", "access"),
    "engine": ("runs",),
    "doors": ("routes",),
    "roof": ("wiring", "app", "client", "notebook", "cli", "__main__", "server", "worker"),
}
HEIGHT = {module: height for height, modules in enumerate(FLOORS.values()) for module in modules}
PLACE = {module: place for modules in FLOORS.values() for place, module in enumerate(modules)}
EDGES = FLOORS["edges"]

# Each third-party package and the modules that may name it.
OWNERS: dict[str, tuple[str, ...]] = {
    "flask": ("routes", "app"),
    "werkzeug": ("routes", "app"),
    "flask_sock": ("routes", "app"),
    "simple_websocket": ("routes", "app"),
    "requests": ("providers", "client"),
    "urllib3": ("providers", "client"),
    "certifi": ("providers", "client"),
    "gevent": ("server", "worker", "offload"),
    "gunicorn": ("server", "worker"),
    "sqlalchemy": ("store",),
    "alembic": ("store",),
    "psycopg": ("store",),
    "redis": ("journal", "access"),
    "itsdangerous": ("access",),
    "limits": ("access",),
    "rich": ("cli",),
    "whitenoise": ("routes",),
    "minify": ("routes",),
    "markdown_it": ("notebook",),
    "IPython": ("notebook",),
    "msgspec": tuple(HEIGHT),
}
STANDARD = frozenset(__import__("sys").stdlib_module_names)
ENVIRONMENT = {"wiring.py": "read_settings", "server.py": None}  # who may read it, and in which function

FILES = sorted(str(path.relative_to(WEBAPP)) for path in WEBAPP.rglob("*.py"))


def module_of(file: str) -> str:
    """The name a file has in `FLOORS`: its package, or itself."""
    return Path(file).parts[0].removesuffix(".py")


def tree_of(file: str) -> ast.Module:
    return ast.parse((WEBAPP / file).read_text(), file)


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in a file, inside functions and for types alone, too."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=None) | ast.ImportFrom(level=1):
                yield "a relative import"
            case ast.ImportFrom(module="webapp", names=names):
                yield from (f"webapp.{alias.name}" for alias in names if alias.name != "__version__")
            case ast.ImportFrom(module=str(name)):
                yield name
            case _:
                pass


def breach(importer: str, target: str) -> str | None:
    """Say which rule an import of one module by another breaks, None where it keeps them."""
    if importer == target:
        return None
    if target not in HEIGHT:
        return f"{target} has no floor"
    if HEIGHT[target] > HEIGHT[importer]:
        return f"{target} is on a higher floor than {importer}"
    if HEIGHT[target] < HEIGHT[importer]:
        return None
    if importer in EDGES:
        return f"{importer} and {target} are edges, which never import each other"
    return None if PLACE[target] < PLACE[importer] else f"{target} comes after {importer} on its floor"


@pytest.mark.parametrize("file", [file for file in FILES if file != "__init__.py"])
def test_imports_keep_the_law(file: str) -> None:
    importer = module_of(file)
    assert importer in HEIGHT, f"{file} has no floor: give it one in DESIGN's table and here"
    for name in imported(tree_of(file)):
        assert name != "a relative import", f"{file}: imports are written out"
        if name.split(".")[0] == "webapp" and name != "webapp":
            assert (broken := breach(importer, name.split(".")[1])) is None, f"{file}: {broken}"


@pytest.mark.parametrize("file", FILES)
def test_a_package_is_named_by_its_owner_alone(file: str) -> None:
    for name in imported(tree_of(file)):
        package = name.split(".")[0]
        if package == "webapp" or package in STANDARD:
            continue
        assert package in OWNERS, f"{file} imports {package}, which nobody owns"
        assert module_of(file) in OWNERS[package], f"{file}: {package} belongs to {OWNERS[package]}"


def test_the_package_itself_imports_nothing_when_it_is_imported() -> None:
    tree = tree_of("__init__.py")
    guarded = [node for node in tree.body if isinstance(node, ast.If)]
    assert [ast.unparse(node.test) for node in guarded] == ["TYPE_CHECKING"]
    tree.body = [node for node in tree.body if node not in guarded]
    assert set(imported(tree)) == {"__future__", "importlib"}


@pytest.mark.parametrize("file", FILES)
def test_the_environment_is_read_by_the_roof_alone(file: str) -> None:
    tree = tree_of(file)
    if file in ENVIRONMENT:
        allowed = ENVIRONMENT[file]
        if allowed is None:
            return
        tree.body = [
            node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == allowed)
        ]
    assert [ast.unparse(node) for node in ast.walk(tree) if reads_environment(node)] == []


def reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="environ" | "environb" | "getenv" | "getenvb", value=ast.Name(id=owner)):
            return owner not in ("request", "asked", "self")  # WSGI calls its request's variables the same
        case ast.ImportFrom(module="os", names=names):
            return any(alias.name.startswith(("environ", "getenv")) for alias in names)
        case _:
            return False


@pytest.mark.parametrize("file", [file for file in FILES if "/" in file])
def test_a_floor_is_given_to_packages_as_a_whole(file: str) -> None:
    assert (WEBAPP / module_of(file) / "__init__.py").is_file(), f"{file} is in no package"


@pytest.mark.parametrize(
    ("importer", "target", "word"),
    [
        ("chat", "frames", "after"),
        ("frames", "chat", None),
        ("codecs", "runs", "higher"),
        ("providers", "access", "edges"),
        ("journal", "providers", "edges"),
        ("runs", "providers", None),
        ("runs", "routes", "higher"),
        ("client", "app", None),
        ("client", "server", "after"),
        ("wiring", "app", "after"),
        ("runs", "utils", "no floor"),
    ],
)
def test_the_law_itself(importer: str, target: str, word: str | None) -> None:
    broken = breach(importer, target)
    assert broken is None if word is None else word in str(broken)
