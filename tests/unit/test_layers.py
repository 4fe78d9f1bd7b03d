"""Import rules: the layers of the server's packages, and the modules that may use a package or the environment."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WEBAPP = Path(__file__).resolve().parents[2] / "webapp"

# Lowest first. A module may import from its own package, from lower layers, and from modules named before it in its own
# layer. Adapters do not import each other: they use the protocols in `seams`.
LAYERS: dict[str, str] = {
    "values": "errors logs chat events frames measurements metrics_folder journal_records parsed_document found_passage publishable_keys seams settings",
    "logic": "codecs framing usage catalog conversation search",
    "adapters": "offload sql providers journal store documents access metrics",
    "engine": "runs",
    "web": "api assets services routes",
    "top": "wiring models app client doctor notebook cli __main__ server worker",
}
# Each third-party package, and the modules that may import it.
IMPORTERS: dict[str, str] = {
    "charset_normalizer pypdfium2 selectolax mammoth": "documents",
    "Stemmer": "search",
    "flask werkzeug": "services routes app",
    "flask_sock simple_websocket": "routes",
    "requests urllib3": "client",
    "certifi": "providers client",
    "gevent greenlet": "server worker offload",
    "gunicorn": "server worker",
    "sqlalchemy alembic psycopg": "sql store journal",
    "prometheus_client": "metrics",
    "redis": "journal access",
    "itsdangerous limits joserfc cryptography": "access",
    "rich": "cli",
    "whitenoise minify rjsmin rcssmin": "assets",
    "markdown_it IPython": "notebook",
}
ALWAYS_ALLOWED = {"msgspec", "webapp", *sys.stdlib_module_names}
ENVIRONMENT_READERS = {
    "wiring.py": "read_settings",
    "server.py": None,
}  # by file: the only function, None for any

ADAPTERS = LAYERS["adapters"].split()
SHARED_ADAPTERS = ("offload", "sql")  # blocking work and databases, for the others
LAYER_INDEX = {module: index for index, names in enumerate(LAYERS.values()) for module in names.split()}
POSITION_IN_LAYER = {
    module: position for names in LAYERS.values() for position, module in enumerate(names.split())
}
ALLOWED_IMPORTERS = {
    package: modules.split() for packages, modules in IMPORTERS.items() for package in packages.split()
}
FILES = sorted(str(path.relative_to(WEBAPP)) for path in WEBAPP.rglob("*.py"))


def module_of(file: str) -> str:
    """Return the name of a file in `LAYERS`: its package or module."""
    return Path(file).parts[0].removesuffix(".py")


def parse_file(file: str) -> ast.Module:
    return ast.parse((WEBAPP / file).read_text(), file)


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """Yield every module that a file imports, also inside functions and for types."""
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


def find_violation(importer: str, target: str) -> str | None:
    """Return the rule that an import breaks, or None."""
    if importer == target:
        return None
    if target not in LAYER_INDEX:
        return f"{target} has no layer"
    if LAYER_INDEX[target] > LAYER_INDEX[importer]:
        return f"{target} is in a higher layer than {importer}"
    if LAYER_INDEX[target] < LAYER_INDEX[importer] or target in SHARED_ADAPTERS:
        return None
    if importer in ADAPTERS:
        return f"{importer} and {target} are adapters, which must not import each other"
    return (
        None
        if POSITION_IN_LAYER[target] < POSITION_IN_LAYER[importer]
        else f"{target} comes after {importer} in its layer"
    )


@pytest.mark.parametrize("file", [file for file in FILES if file != "__init__.py"])
def test_modules_import_only_from_lower_layers(file: str) -> None:
    importer = module_of(file)
    assert importer in LAYER_INDEX, f"{file} has no layer"
    for name in imported_modules(parse_file(file)):
        assert name != "a relative import", f"{file}: imports are absolute"
        if name.split(".")[0] == "webapp" and name != "webapp":
            assert (violation := find_violation(importer, name.split(".")[1])) is None, f"{file}: {violation}"


@pytest.mark.parametrize("file", FILES)
def test_third_party_packages_are_imported_only_where_allowed(file: str) -> None:
    for name in imported_modules(parse_file(file)):
        package = name.split(".")[0]
        if package not in ALWAYS_ALLOWED:
            assert module_of(file) in ALLOWED_IMPORTERS.get(package, []), f"{file} imports {package}"


def test_importing_the_package_imports_no_submodule() -> None:
    tree = parse_file("__init__.py")
    guarded = [node for node in tree.body if isinstance(node, ast.If)]
    assert [ast.unparse(node.test) for node in guarded] == ["TYPE_CHECKING"]
    tree.body = [node for node in tree.body if node not in guarded]
    assert set(imported_modules(tree)) == {"__future__", "importlib"}


@pytest.mark.parametrize("file", FILES)
def test_the_environment_is_read_only_where_allowed(file: str) -> None:
    tree = parse_file(file)
    if file in ENVIRONMENT_READERS:
        allowed = ENVIRONMENT_READERS[file]
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
def test_each_package_has_a_docstring_of_two_sentences(folder: str) -> None:
    docstring = ast.get_docstring(parse_file(f"{folder}/__init__.py")) or ""
    assert docstring.count(". ") + docstring.count(".\n") + docstring.endswith(".") >= 2, folder


@pytest.mark.parametrize(
    ("importer", "target", "message"),
    [
        ("chat", "frames", "after"),
        ("frames", "chat", None),
        ("codecs", "runs", "higher"),
        ("providers", "access", "adapters"),
        ("providers", "offload", None),
        ("store", "sql", None),
        ("journal", "store", "adapters"),
        ("runs", "providers", None),
        ("runs", "routes", "higher"),
        ("api", "services", "after"),
        ("client", "server", "after"),
        ("runs", "utils", "no layer"),
    ],
)
def test_find_violation_detects_each_kind_of_violation(
    importer: str, target: str, message: str | None
) -> None:
    violation = find_violation(importer, target)
    assert violation is None if message is None else message in str(violation)
