"""Commands about the registry: outlets list, check, add."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from crawler.terminal import Report, config_option, part_option, progress, reporting, table

if TYPE_CHECKING:
    from crawler.config import Config

_YES_NO = {True: "yes", False: "no", None: None}


@click.group()
def outlets() -> None:
    """The registry of outlets: what it names, whether that works, and new entries."""


@outlets.command("list")
@part_option
@reporting
def outlets_list(config: Config) -> Report:
    """Show every entry of outlets.toml: its sources, and what came of them."""
    from crawler.registry import listed

    rows = listed(config)
    columns = ["outlet", "state", "sources", "last new", "articles", "kept", "share", "name"]
    shown = []
    for row in rows:
        sources = ", ".join(f"{kind} {number}" for kind, number in row["sources"].items())
        share = "-" if row["kept_share"] is None else f"{row['kept_share']:.0%}"
        shown.append([row["id"], row["state"], sources or "-", row["last_new_at"], row["articles"], row["kept"], share,
                      row["name_ar"]])  # fmt: skip
    on = sum(row["enabled"] for row in rows)
    return Report(rows, f"{table(columns, shown)}\n{len(rows)} outlets, {on} switched on")


@outlets.command("check")
@click.argument("ids", nargs=-1, metavar="[OUTLET]...")
@click.option("--enable", is_flag=True, help="Switch on, in outlets.toml, what works and has something new.")
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, 3650), help="Older news is silence.")
@config_option
@reporting
def outlets_check(ids: tuple[str, ...], enable: bool, days: int, config: Config) -> Report:
    """Try every source of the named outlets, or of all, switched on or not. Stores only which hosts ask to wait.

    A source works, is silent (nothing new), moved, mistaken (not what its entry says), dead, blocking, forbidden (by
    robots.txt) or unreachable. --enable turns `enabled = false` into true and changes not one byte else.
    """
    from crawler.registry import check, switch_on

    wanted = config.enabled(ids) if ids else config.outlets
    found = check(config, wanted, progress, days=days)
    every = [finding for findings in found.values() for finding in findings]
    fresh = list(dict.fromkeys(finding.outlet for finding in every if finding.fresh))
    switched = switch_on(config, fresh) if enable else []
    columns = ["outlet", "source", "state", "items", "newest", "own site", "crawl-delay", "address"]
    shown = [
        [f.outlet, f.kind, f.state, f.items, f.newest, _YES_NO[f.own_site], f.crawl_delay, f"{f.url} {f.detail}"]
        for f in every
    ]
    states = ", ".join(f"{number} {state}" for state, number in Counter(f.state for f in every).most_common())
    lines = [
        table(columns, shown),
        f"{len(found)} of {len(wanted)} outlets tried, their sources: {states or 'none'}",
        f"{len(fresh)} have a source that works and has something new",
    ]
    if enable:
        lines.append(f"switched on: {', '.join(switched) or 'none'}")
    done = len(found) == len(wanted) and any(finding.items for finding in every)
    return Report({"sources": every, "fresh": fresh, "switched_on": switched}, "\n".join(lines), done)


@outlets.command("add")
@click.argument("url", metavar="URL")
@click.option("--id", "outlet_id", metavar="ID", help="What to call it; else a word of its host name.")
@click.option("--enable", is_flag=True, help="Switch it on, if it has something new.")
@click.option("--allow-private", is_flag=True, help="It stands in a private network.")
@config_option
@reporting
def outlets_add(url: str, outlet_id: str | None, enable: bool, allow_private: bool, config: Config) -> Report:
    """Find where a site lists its articles, and write its entry into outlets.toml.

    Looks for feeds, sitemaps, WordPress and Telegram in its home page, its robots.txt and the usual places, a dozen
    addresses at most, tries them, and keeps what works, best first.
    """
    from crawler.registry import add

    outlet, entry, findings = add(
        config, url, progress, outlet_id=outlet_id, enable=enable, allow_private=allow_private
    )
    wish = "reads it" if outlet.enabled else "reads it, once enabled is true"
    return Report(
        {"id": outlet.id, "enabled": outlet.enabled, "entry": entry, "tried": findings},
        f"{entry}\nwritten to {config.file('outlets.toml')}; `rasid crawl {outlet.id}` {wish}",
    )
