"""The house rules: who may import whom, what starts light, how much code there is. `make check` runs these."""

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("archive", "crawler", "spiders")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
LIMITS = tomllib.loads((ROOT / "tests" / "limits.toml").read_text())


def imports(path: Path) -> set[str]:
    """Every module a file imports, at the top or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; write the whole name"
            found.add(node.module)
    return found


def importers(*names: str) -> set[str]:
    """Files that import any of these packages."""
    return {str(path.relative_to(ROOT)) for path in MODULES if any(i.split(".")[0] in names for i in imports(path))}


def test_imports_run_one_way():
    forbidden = {"archive": {"crawler", "spiders"}, "crawler": {"spiders"}, "spiders": set()}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in MODULES
        for name in imports(path)
        if name.split(".")[0] in forbidden[path.relative_to(ROOT).parts[0]]
    ]
    assert not wrong


def test_no_imports_run_in_a_circle():
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in MODULES}
    graph = {}
    for name, path in modules.items():
        froms = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        named = {(node.module, f"{node.module}.{alias.name}") for node in froms for alias in node.names}
        graph[name] = {within if within in modules else module for module, within in named} & modules.keys()
    list(TopologicalSorter(graph).static_order())  # raises CycleError, which names the modules


def test_archive_knows_no_scrapy_and_no_trafilatura():
    assert not {p for p in importers("scrapy", "twisted", "trafilatura") if p.startswith("archive/")}


def test_each_library_has_its_one_door():
    assert importers("sqlite3", "pysqlite3") == set()  # sqlite-utils chooses between the two, for all of us
    assert importers("sqlite_utils") <= {"archive/sqlite.py", "archive/migrations.py"}
    assert importers("trafilatura") == {"crawler/extract.py"}
    assert importers("feedparser") == {"crawler/listings/feeds.py"}


def test_every_query_is_asked_for_and_every_one_asked_for_is_there():
    there = set()
    for file in (ROOT / "archive" / "queries").glob("*.sql"):
        names = re.findall(r"^-- name: (\w+)$", file.read_text(), re.M)
        there |= {f"{file.stem}.{name}" for name in names} or {file.stem}
    source = "".join(path.read_text() for path in MODULES)
    assert set(re.findall(r'statement\("([\w.]+)"', source)) <= there
    assert not {name for name in there if f'"{name}"' not in source}


def test_only_configuration_reads_the_environment():
    readers = {str(p.relative_to(ROOT)) for p in MODULES if re.search(r"os\.environ|os\.getenv", p.read_text())}
    assert readers <= {"crawler/config.py"}


@pytest.mark.parametrize("arguments", [["--help"], ["crawl", "--help"], ["topics", "test", "--help"]])
def test_help_imports_neither_scrapy_nor_trafilatura(arguments):
    code = (
        "import sys; from crawler.cli import main\n"
        f"try: main({arguments!r}, prog_name='rasid')\n"
        "except SystemExit: pass\n"
        "heavy = {'scrapy', 'trafilatura', 'twisted', 'datasette', 'lxml', 'sqlite_utils'} & set(sys.modules)\n"
        "print('HEAVY', sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "HEAVY []" in done.stdout
    assert "Usage: rasid" in done.stdout


def test_the_product_never_asks_whether_it_is_a_demo():
    askers = {
        str(path.relative_to(ROOT))
        for path in MODULES
        if "demo" in path.read_text().lower() and path.relative_to(ROOT).parts[:2] != ("crawler", "demo")
    }
    assert askers <= {"crawler/cli.py"}  # where the command itself stands


def test_every_package_is_listed_for_installation():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    standing = {str(p.parent.relative_to(ROOT)).replace("/", ".") for p in ROOT.glob("*/**/__init__.py")
                if p.relative_to(ROOT).parts[0] in (*PACKAGES, "seeds")}  # fmt: skip
    assert set(listed) == standing


def code_lines(path: Path) -> int:
    """Lines that hold code: neither blank, nor comment, nor docstring."""
    source = path.read_text()
    words = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                words |= set(range(first.lineno, first.end_lineno + 1))
    empty = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    found = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in empty:
            found |= set(range(token.start[0], token.end[0] + 1))
    return len(found - words)


def test_size_stays_under_its_ceiling(capsys):
    total = sum(map(code_lines, MODULES))
    with capsys.disabled():
        print(f"\n{total} lines of code in {len(MODULES)} modules (ceiling {LIMITS['code_lines']})")
    assert total <= LIMITS["code_lines"]
    long = {
        str(p.relative_to(ROOT)): n
        for p in MODULES
        if (n := len(p.read_text().splitlines())) > LIMITS["lines_per_file"]
    }
    assert not long


def test_runtime_dependencies_stay_few_and_are_justified():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=;\[ ]", d)[0].lower().replace("_", "-") for d in project["dependencies"]}
    assert len(names) <= LIMITS["dependencies"]
    readme = (ROOT / "README.md").read_text().lower().replace("_", "-")
    assert not {name for name in names if f"| {name} |" not in readme}
