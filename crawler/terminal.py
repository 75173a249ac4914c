"""What all commands share: options, errors as sentences, progress, tables, JSON."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archive.errors import RasidError

if TYPE_CHECKING:
    from crawler.config import Config


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


def config_option(function: Any) -> Any:
    """`--config DIR`."""
    return click.option(
        "--config", "config_dir", metavar="DIR", type=click.Path(path_type=Path, file_okay=False),
        help="Directory of rasid.toml, outlets.toml, topics.toml (default: here, then the user's).",
    )(function)  # fmt: skip


def json_option(function: Any) -> Any:
    """`--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


class Since(click.ParamType[str]):
    """A date, a moment in UTC, or so long ago: `2026-01-21`, `2026-01-21T10:00:00Z`, `7d`. Gives a stamp."""

    name = "date"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read it, or say how it is written."""
        from datetime import UTC, datetime, timedelta

        from archive.times import stamp, utc_now
        from crawler.units import Duration

        with suppress(ValueError, OverflowError):
            return stamp(utc_now() - timedelta(seconds=Duration.read(value)))
        with suppress(ValueError):
            read = datetime.fromisoformat(value)
            return stamp(read if read.tzinfo else read.replace(tzinfo=UTC))
        self.fail(f'{value!r} is no date; write one such as 2026-01-21, or "7d" for seven days ago', param, ctx)


def yesterday() -> str:
    """The stamp 24 hours ago."""
    from archive.times import later, stamp, utc_now

    return later(stamp(utc_now()), -86400)


def load(config_dir: Path | None) -> Config:
    """The whole configuration, checked."""
    from crawler.config import load_config

    return load_config(config_dir)


def print_json(value: Any) -> None:
    """A value as JSON, Arabic as it is."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def progress(line: str) -> None:
    """One line that overwrites itself, on a terminal only."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{line}", err=True, nl=False)
        if not line:
            click.echo("\r\033[K", err=True, nl=False)


def table_text(columns: list[str], rows: list[list[Any]]) -> str:
    """A table; ends the line of progress."""
    from crawler.report import table

    progress("")
    return table(columns, rows)
