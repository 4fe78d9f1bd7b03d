"""The layers of the server's packages, and which of them may use a third-party package or the environment."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WEBAPP = Path(__file__).resolve().parents[2] / "webapp"

# Lowest first. A module imports from the layers beneath it and, in its own layer, from modules named before it;
# inside a package freely. Adapters never import each other: they meet through the protocols in `seams`.
LAYERS: dict[str, str] = {
    "values": "errors chat events frames seams settings",
    "logic": "codecs framing usage catalog conversation",
    "adapters": "offload providers journal store access",
    "engine": "runs",
    "web": "api assets services routes",
    "top": "wiring models app client notebook cli __main__ server worker",
}
# Each third-party package, and the modules that may import it.
OWNERS: dict[str, str] = {
    "flask werkzeug": "services routes app",
    "flask_sock simple_websocket": "routes",
    "requests urllib3": "client",
    "certifi": "providers client",
    "gevent greenlet": "server worker offload",
    "gunicorn": "server worker",
    "sqlalchemy alembic psycopg": "store",
    "redis": "journal access",
    "itsdangerous limits": "access",
    "rich": "cli",
    "whitenoise minify rjsmin rcssmin": "assets",
    "markdown_it IPython": "notebook",
}
EVERYWHERE = {"msgspec", "webapp", *sys.stdlib_module_names}
READS_ENVIRONMENT = {"wiring.py": "read_settings", "server.py": None}  # in which function; None: anywhere

ADAPTERS = LAYERS["adapters"].split()
FREE_ADAPTER = "offload"  # runs blocking work for the others, so they may import it
HEIGHT = {module: height for height, names in enumerate(LAYERS.values()) for module in names.split()}
PLACE = {module: place for names in LAYERS.values() for place, module in enumerate(names.split())}
OWNED = {package: modules.split() for packages, modules in OWNERS.items() for package in packages.split()}
FILES = sorted(str(path.relative_to(WEBAPP)) for path in WEBAPP.rglob("*.py"))


def module_of(file: str) -> str:
    """The name of a file in `LAYERS`: its package, or itself."""
    return Path(file).parts[0].removesuffix(".py")


def tree_of(file: str) -> ast.Module:
    return ast.parse((WEBAPP / file).read_text(), file)


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in a file, in functions and for types too."""
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
    """Return which rule an import of one module by another breaks, None where it breaks none."""
    if importer == target:
        return None
    if target not in HEIGHT:
        return f"{target} has no layer"
    if HEIGHT[target] > HEIGHT[importer]:
        return f"{target} is in a higher layer than {importer}"
    if HEIGHT[target] < HEIGHT[importer] or target == FREE_ADAPTER:
        return None
    if importer in ADAPTERS:
        return f"{importer} and {target} are adapters, which never import each other"
    return None if PLACE[target] < PLACE[importer] else f"{target} comes after {importer} in its layer"


@pytest.mark.parametrize("file", [file for file in FILES if file != "__init__.py"])
def test_imports_go_down(file: str) -> None:
    importer = module_of(file)
    assert importer in HEIGHT, f"{file} has no layer"
    for name in imported(tree_of(file)):
        assert name != "a relative import", f"{file}: imports are absolute"
        if name.split(".")[0] == "webapp" and name != "webapp":
            assert (broken := breach(importer, name.split(".")[1])) is None, f"{file}: {broken}"


@pytest.mark.parametrize("file", FILES)
def test_a_package_is_imported_by_its_owner_alone(file: str) -> None:
    for name in imported(tree_of(file)):
        package = name.split(".")[0]
        if package not in EVERYWHERE:
            assert module_of(file) in OWNED.get(package, []), f"{file} imports {package}"


def test_the_package_itself_imports_nothing_when_it_is_imported() -> None:
    tree = tree_of("__init__.py")
    guarded = [node for node in tree.body if isinstance(node, ast.If)]
    assert [ast.unparse(node.test) for node in guarded] == ["TYPE_CHECKING"]
    tree.body = [node for node in tree.body if node not in guarded]
    assert set(imported(tree)) == {"__future__", "importlib"}


@pytest.mark.parametrize("file", FILES)
def test_the_environment_is_read_in_one_place(file: str) -> None:
    tree = tree_of(file)
    if file in READS_ENVIRONMENT:
        allowed = READS_ENVIRONMENT[file]
        if allowed is None:
            return
        tree.body = [
            node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == allowed)
        ]
    assert [ast.unparse(node) for node in ast.walk(tree) if reads_environment(node)] == []


def reads_environment(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="environ" | "environb" | "getenv" | "getenvb", value=ast.Name(id=owner)):
            return owner == "os"
        case ast.ImportFrom(module="os", names=names):
            return any(alias.name.startswith(("environ", "getenv")) for alias in names)
        case _:
            return False


PACKAGES = sorted({str(Path(file).parent) for file in FILES if "/" in file and "migrations" not in file})


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_package_says_what_belongs_there(folder: str) -> None:
    docstring = ast.get_docstring(tree_of(f"{folder}/__init__.py")) or ""
    assert docstring.count(". ") + docstring.count(".\n") + docstring.endswith(".") >= 2, folder


@pytest.mark.parametrize(
    ("importer", "target", "word"),
    [
        ("chat", "frames", "after"),
        ("frames", "chat", None),
        ("codecs", "runs", "higher"),
        ("providers", "access", "adapters"),
        ("providers", "offload", None),
        ("runs", "providers", None),
        ("runs", "routes", "higher"),
        ("api", "services", "after"),
        ("client", "server", "after"),
        ("runs", "utils", "no layer"),
    ],
)
def test_the_rule_itself(importer: str, target: str, word: str | None) -> None:
    broken = breach(importer, target)
    assert broken is None if word is None else word in str(broken)
