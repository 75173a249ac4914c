"""What the documents name exists, and what exists is documented. `make check` runs these."""

import re
from pathlib import Path

import click
import msgspec

from archive.migrations import migrate
from archive.sqlite import connect_write
from crawler import config
from crawler.cli import main

ROOT = Path(__file__).parent.parent
REFERENCE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
INTERNAL = re.compile(r"articles_fts_|sqlite_|_sqlite_migrations")


def section(name: str) -> str:
    return REFERENCE.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


def commands(group: click.Group, prefix: str = "rasid") -> dict[str, click.Command]:
    found = {}
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            found |= commands(command, f"{prefix} {name}")
        else:
            found[f"{prefix} {name}"] = command
    return found


def test_every_command_and_option_is_documented_and_the_reverse():
    rows = dict(re.findall(r"^\| `(rasid [^`]+)` \| (.+) \|$", section("Commands"), re.M))
    standing = commands(main)
    assert set(rows) == set(standing)
    for name, command in standing.items():
        options = {o for p in command.params for o in p.opts if o.startswith("--")} - {"--config"}
        assert set(re.findall(r"--[a-z-]+", rows[name])) == options, name


def test_every_command_has_help():
    for name, command in commands(main).items():
        assert command.help, name


def test_commands_named_in_the_readme_exist():
    assert set(re.findall(r"^ +(?:\.venv/bin/)?(rasid [a-z]+(?: (?:test|list|check|add)\b)?)", README, re.M)) <= set(
        commands(main)
    )
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"make ([a-z-]+)", README)) <= targets


def keys(kind: type, prefix: str) -> set[str]:
    return {f"{prefix}{f.encode_name}" for f in msgspec.structs.fields(kind)}


def documented(text: str) -> set[str]:
    """The names in the first cell of each row of a table."""
    return {k for row in re.findall(r"^\| (`[^|]+) \|", text, re.M) for k in re.findall(r"`([^`]+)`", row)}


def test_every_setting_is_documented_and_the_reverse():
    tables = {"crawl": config.Crawl, "revisit": config.Revisit, "keep": config.Keep, "smtp": config.Smtp,
              "channel": config.Channel, "alert": config.AlertRule, "desk": config.Desk, "stamp": config.Stamp,
              "service": config.Watch, "backup": config.Backup}  # fmt: skip
    standing = keys(config._Service, "") - set(tables)
    for name, kind in tables.items():
        standing |= keys(kind, f"{name}.")
    assert documented(section("rasid.toml")) == standing
    assert documented(section("outlets.toml")) == keys(config.Outlet, "outlet.")


def test_every_table_and_view_is_named(tmp_path):
    db = connect_write(tmp_path / "archive.db")
    migrate(db, tmp_path / "archive.db")
    rows = db.execute("select name from sqlite_master where type in ('table', 'view')").fetchall()
    standing = {row[0] for row in rows if not INTERNAL.match(row[0])}
    text = section("The archive")
    named = set(re.findall(r"`([a-z_]+)`", text.split("Each column")[0]))
    assert named == standing


def test_the_readmes_configuration_loads(tmp_path):
    block = README.split("A whole configuration is ten lines", 1)[1].split("\n`rasid init`", 1)[0]
    lines = [line.strip() for line in block.splitlines()[1:] if line.startswith("    ")]
    first = next(at for at, line in enumerate(lines) if line.endswith("# rasid.toml"))
    assert len(lines) <= 10
    (tmp_path / "outlets.toml").write_text("\n".join(lines[:first]), encoding="utf-8")
    (tmp_path / "rasid.toml").write_text("\n".join(lines[first:]), encoding="utf-8")
    loaded = config.load_config(tmp_path)
    assert [outlet.id for outlet in loaded.enabled()] == ["sana"]
    assert loaded.alerts[0].topics == ("isis_detainees",)


def test_commands_in_the_changelog_are_those_there_are():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    named = re.search(r"- Commands: (.+?)\.\n", text, re.S)[1]
    assert {f"rasid {name}" for name in re.split(r",\s+", named)} == set(commands(main))
