"""What all commands share: options, errors as sentences, progress, reports, tables."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from archive.errors import RasidError

if TYPE_CHECKING:
    from crawler.config import Config


_TURNS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


class Program(click.Group):
    """Turns our own errors into one sentence and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what goes wrong on purpose ends in a sentence."""
        try:
            return super().invoke(ctx)
        except RasidError as error:
            click.secho(f"rasid: {error}", fg="red", err=True)
            sys.exit(error.exit_code)
        except BrokenPipeError:
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            click.secho(f"rasid: {error.filename or 'the work'}: {error.strerror or error}", fg="red", err=True)
            sys.exit(1)


def dir_option(function: Any, load: Callable[..., Any] | None = None) -> Any:
    """`--config DIR`, as a path."""
    return click.option(
        "--config", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), callback=load,
        help="Directory of rasid.toml, outlets.toml, topics.toml (default: here, then the user's).",
    )(function)  # fmt: skip


def config_option(function: Any, *, partly: bool = False) -> Any:
    """`--config DIR`, as the whole configuration, checked; or `partly`, then a mistake is said and stops nothing."""

    def load(context: click.Context, option: click.Parameter, directory: Path | None) -> Config:
        from crawler.config import load_config, load_in_part

        config = load_in_part(directory) if partly else load_config(directory)
        if config.mistake:
            click.secho(f"rasid: {config.mistake}", fg="red", err=True)
        return config

    return dir_option(function, load)


part_option = partial(config_option, partly=True)


class Report(NamedTuple):
    """What came of a command."""

    value: Any  # for --json
    text: str  # for people
    done: bool = True  # else the exit code says that the work could not be done


def reporting(command: Callable[..., Report | None]) -> Callable[..., None]:
    """`--json`: prints the report that a command returns, as JSON with Arabic as it is, or in words."""

    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    @wraps(command)
    def run(as_json: bool, **given: Any) -> None:
        report = command(**given)
        progress("")
        if report:
            click.echo(
                json.dumps(report.value, ensure_ascii=False, indent=2, default=asdict) if as_json else report.text
            )
            if not report.done:
                sys.exit(1)

    return run


def number(value: str) -> int:
    """The number of an article or a mail, in any digits; the type of an argument."""
    if not (value.isdecimal() and 0 < int(value) < 2**62):
        raise click.BadParameter(f"{value!r} is no id; `rasid search` shows those of articles, `alerts list` of mails")
    return int(value)


class Since(click.ParamType[str]):
    """A date, a moment in UTC, or so long ago: `2026-01-21`, `2026-01-21T10:00:00Z`, `7d`. Gives a stamp."""

    name = "date"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it, or say how it is written."""
        from datetime import timedelta

        from archive.times import instant, stamp, utc_now
        from crawler.units import Duration

        with suppress(ValueError, OverflowError):
            return stamp(utc_now() - timedelta(seconds=Duration.read(value)))
        with suppress(ValueError):
            return stamp(instant(value))
        self.fail(f'{value!r} is no date; write one such as 2026-01-21, or "7d" for seven days ago', param, ctx)

    @classmethod
    def yesterday(cls) -> str:
        """The stamp 24 hours ago."""
        return cls().convert("1d", None, None)


def progress(line: str) -> None:
    """One line that overwrites itself, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{line}", err=True, nl=False)


def width(text: str) -> int:
    """Columns a text takes in a terminal: marks none, wide letters two.

    >>> width("دَاعش"), width("abc")
    (4, 3)
    """
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def plain(value: Any) -> str:
    """A value as one printable line: no control characters, none that turn the text, a dash for what is unknown.

    >>> plain("خبر\\u202e\\x9b[31m"), plain(None)
    ('خبر[31m', '-')
    """
    if value in (None, ""):
        return "-"
    shown = (" " if c in "\n\t" else c for c in str(value) if c in "\n\t" or unicodedata.category(c) != "Cc")
    return "".join(shown).translate(_TURNS)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Aligned columns under their names.

    >>> print(table(["id", "n"], [["sana", 3]]))
    id    n
    sana  3
    """
    cells = [list(columns), *([plain(value) for value in row] for row in rows)]
    widths = [max(width(row[i]) for row in cells) for i in range(len(columns))]
    lines = ("  ".join(c + " " * (w - width(c)) for c, w in zip(row, widths, strict=True)) for row in cells)
    return "\n".join(line.rstrip() for line in lines)
