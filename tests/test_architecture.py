"""The house rules: who may import whom, what starts light, how much code there is. `make check` runs these."""

import ast
import re
import subprocess
import sys
import tomllib
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


def test_archive_knows_no_scrapy_and_no_trafilatura():
    assert not {p for p in importers("scrapy", "twisted", "trafilatura") if p.startswith("archive/")}


def test_each_library_has_its_one_door():
    assert importers("sqlite3", "pysqlite3") == {"archive/sqlite.py"}
    assert importers("trafilatura") == {"crawler/extract.py"}
    assert importers("feedparser") == {"crawler/discover.py"}
    assert importers("tomllib") <= {"crawler/config.py"} | {p for p in importers("tomllib") if p.startswith("archive/")}


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


def test_size_stays_under_its_ceiling():
    counts = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in MODULES}
    total = sum(counts.values())
    print(f"\n{total} lines of Python in {len(counts)} modules (ceiling {LIMITS['lines']})")
    assert total <= LIMITS["lines"]
    assert not {name: count for name, count in counts.items() if count > LIMITS["lines_per_file"]}


def test_runtime_dependencies_stay_few_and_are_justified():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {re.split(r"[<>=;\[ ]", d)[0].lower().replace("_", "-") for d in project["dependencies"]}
    assert len(names) <= LIMITS["dependencies"]
    readme = (ROOT / "README.md").read_text().lower().replace("_", "-")
    assert not {name for name in names if f"| {name} |" not in readme}
