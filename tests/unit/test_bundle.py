"""Which modules are served as one file, and what that file then says."""

from pathlib import Path

import pytest

from webapp.assets.bundle import BundleError, bundle_modules, read_separately

TREE = {
    "page.js": 'import { both } from "./both.js";\nimport { own } from "./parts/own.js";\nexport const page = both + own;\n'
    'export const open = () => import("./parts/later.js");\n'
    '/** @typedef {import("./alone.js").Nothing} Nothing */\n'
    'export const again = () => import("./parts/later.js");\n',
    "shared.js": 'import { both, more } from "./both.js";\nbegin(both, more);\n',
    "both.js": "export const both = 1;\nexport const more = 2;\nexport const unused = 3;\n",
    "parts/own.js": 'import {\n  deep,\n} from "./deep.js";\nexport function own() {}\n',
    "parts/deep.js": "export class deep {}\n",
    "parts/later.js": 'import { both } from "../both.js";\nimport { help } from "./help.js";\nimport { page } from "../page.js";\n'
    "export async function later() {}\n",
    "parts/help.js": "export let help = 1;\n",
    "alone.js": "export {};\n",
}


def tree(folder: Path, changed: dict[str, str] | None = None) -> Path:
    for name, text in (TREE | (changed or {})).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_what_is_always_loaded_together_is_one_file(tmp_path: Path) -> None:
    assert bundle_modules(tree(tmp_path)).modules == {
        "page.js": ["parts/deep.js", "parts/own.js", "page.js"],
        "both.js": ["both.js"],
        "parts/later.js": ["parts/help.js", "parts/later.js"],
        "shared.js": ["shared.js"],
    }


def test_a_file_says_what_its_modules_say(tmp_path: Path) -> None:
    texts = bundle_modules(tree(tmp_path)).texts
    assert texts["page.js"] == (
        'import { both } from "./both.js";\n'
        "class deep {}\n"
        "function own() {}\n"
        "const page = both + own;\n"
        'const open = () => import("./parts/later.js");\n'
        '/** @typedef {import("./alone.js").Nothing} Nothing */\n'
        'const again = () => import("./parts/later.js");\n'
        "export { again, open, page };\n"
    )
    assert texts["both.js"].endswith("export { both, more };\n")
    assert texts["parts/later.js"].startswith(
        'import { both } from "../both.js";\nimport { page } from "../page.js";\nlet help = 1;\n'
    )
    assert texts["parts/later.js"].endswith("export { later };\n")
    assert texts["shared.js"] == 'import { both, more } from "./both.js";\nbegin(both, more);\n'


def test_files_that_two_pages_share_and_nobody_names_get_a_name_of_their_own(tmp_path: Path) -> None:
    second = 'import { other } from "./other.js";\nexport const both = other, more = 2;\n'
    modules = bundle_modules(tree(tmp_path, {"both.js": second, "other.js": "export const other = 1;\n"}))
    assert modules.modules["joined/other.js"] == ["other.js", "both.js"]
    assert modules.imports_of("shared.js") == ["joined/other.js"]
    assert 'from "./joined/other.js";' in modules.texts["page.js"]
    assert 'from "../joined/other.js";' in modules.texts["parts/later.js"]


def test_what_a_page_loads_later_is_not_loaded_by_another(tmp_path: Path) -> None:
    """A module that one page has at once and another only later stands in neither page's file."""
    modules = bundle_modules(
        tree(tmp_path, {"shared.js": 'export const show = () => import("./parts/own.js");\n'})
    )
    assert modules.modules["parts/own.js"] == ["parts/deep.js", "parts/own.js"]
    assert modules.imports_of("shared.js") == []
    assert modules.imports_of("page.js") == ["parts/own.js"]


def test_what_no_page_loads_may_be_written_in_any_way(tmp_path: Path) -> None:
    assert "own.mjs.js" not in bundle_modules(tree(tmp_path, {"own.mjs.js": "export default 1;\n"})).texts


def test_apart_each_stays_as_it_is(tmp_path: Path) -> None:
    modules = read_separately(tree(tmp_path))
    assert modules.texts == TREE
    assert modules.imports_of("page.js") == ["both.js", "parts/own.js", "parts/deep.js"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("parts/own.js", 'import { deep } from "./deep.js";\nconst page = 1;\nexport function own() {}\n'),
        ("parts/own.js", "export const both = 1;\nexport function own() {}\n"),
        ("parts/deep.js", 'import { help as own } from "./help.js";\nexport class deep {}\n'),
        ("parts/deep.js", 'import * as help from "./help.js";\nexport class deep {}\n'),
        ("parts/deep.js", "class deep {}\nexport { deep };\n"),
        ("parts/deep.js", "export default class {}\n"),
        ("parts/deep.js", 'import "./help.js";\nexport class deep {}\n'),
    ],
)
def test_what_can_not_be_joined_is_named(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(BundleError, match=r"(page|parts/deep)\.js: "):
        bundle_modules(tree(tmp_path, {name: text}))
