"""The registry at work: try the sources its entries name, switch on what answers, write the entry of a new site.

Nothing is fetched but by the polite way of every crawl, and nothing is written but `outlets.toml`. The archive, if
there is one, tells and is told which hosts asked us to wait.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec

from archive.errors import UsageError, WorkError
from archive.reading import open_archive
from archive.times import Clock, stamp, utc_now
from crawler.config import OUTLETS, Config, Outlet, read_outlets
from crawler.crawl import Crawls
from crawler.effective import effective
from crawler.listings import read_json
from crawler.outlets import Address
from crawler.probe import DATA, Fetch, Finding, Home, Source, addresses, judge, read_home
from crawler.urls import asked_for, on_site
from crawler.visits import Progress, visit_aside

_Explored = tuple[Outlet, str, list[Finding]]
DAYS = 14  # a source without anything newer is silent
TRIED_MAX = 9  # addresses tried at a new site: with robots.txt, the home page and parts of indexes 15 requests


def listed(config: Config) -> list[dict[str, Any]]:
    """A row for each entry: what it names, and what the archive, if there is one, says of its yield."""
    seen: dict[str, Any] = {}
    if config.archive.exists():
        with open_archive(config.archive) as archive:
            seen = {row.id: row for row in archive.health(stamp(utc_now()))}
    rows = []
    for outlet in config.outlets:
        health = seen.get(outlet.id)
        articles, kept = (health.articles, health.kept) if health else (0, 0)
        rows.append({
            "id": outlet.id, "name_ar": outlet.name_ar, "name_en": outlet.name_en, "enabled": outlet.enabled,
            "state": "off" if not outlet.enabled else health.state if health else "never",
            "sources": Counter(kind for kind, _ in outlet.sources), "last_new_at": health and health.last_new_at,
            "articles": articles, "kept": kept, "kept_share": round(kept / articles, 3) if articles else None,
        })  # fmt: skip
    return rows


def check(
    config: Config, wanted: Sequence[Outlet], progress: Progress, *, days: int = DAYS, clock: Clock = utc_now
) -> dict[str, list[Finding]]:
    """Try every source of these outlets: findings by outlet, without those that an early end left untried."""
    found: dict[str, list[Finding]] = {}

    async def work(crawls: Crawls) -> None:
        room = asyncio.Semaphore(config.crawl.outlets_at_once)

        async def one(outlet: Outlet) -> None:
            async with room:
                tried = await crawls.probe(outlet, partial(_try, outlet, outlet.sources, days, clock))
                if tried is not None:
                    found[outlet.id] = tried
                progress(f"{len(found)} of {len(wanted)} outlets")

        await asyncio.gather(*map(one, wanted))

    visit_aside(config, wanted, work)
    told = {outlet.id: found[outlet.id] for outlet in wanted if outlet.id in found}
    if not all("DNS" in finding.detail for findings in told.values() for finding in findings):
        return told
    # Where no host at all has a name, it is our own network that is down.
    return {outlet: [replace(finding, state="unreachable") for finding in told[outlet]] for outlet in told}


async def _try(outlet: Outlet, sources: Iterable[Source], days: int, clock: Clock, fetch: Fetch) -> list[Finding]:
    findings = []
    for kind, url in sources:
        answer, listing = await fetch(kind, url)
        if listing.more and not listing.links:  # an index
            _, listing = await fetch(kind, listing.more[0])
        findings.append(judge(Finding(outlet.id, kind, url, ""), answer, listing, outlet.homepage, clock(), days))
    return findings


def switch_on(config: Config, ids: Collection[str]) -> list[str]:
    """Set `enabled = true` in the entries of these outlets where it is false; all else stays byte for byte.

    Returns the ids switched. Raises WorkError, with nothing written, where that one word cannot be changed alone.
    """
    off = [outlet.id for outlet in config.outlets if outlet.id in ids and not outlet.enabled]
    if off:
        on = partial(msgspec.structs.replace, enabled=True)
        _edit(config, lambda text, all_: (enabled_text(text, off), tuple(on(o) if o.id in off else o for o in all_)))
    return off


def enabled_text(text: str, ids: Collection[str]) -> str:
    """The text of a registry with `enabled = false` turned true in the entries of these ids.

    >>> enabled_text('[[outlet]]\\nid = "a"\\nenabled = false # x\\n[[outlet]]\\nid = "b"\\nenabled = false\\n', ["a"])
    '[[outlet]]\\nid = "a"\\nenabled = true # x\\n[[outlet]]\\nid = "b"\\nenabled = false\\n'
    """
    heads = [found.start() for found in re.finditer(r"^\ufeff?[ \t]*\[\[", text, re.M)]
    entries = [text[start:end] for start, end in pairwise([0, *heads, len(text)])]
    for nth, entry in enumerate(entries):
        named = re.search(r"^[ \t]*id[ \t]*=[ \t]*[\"']([^\"']*)[\"']", entry, re.M)
        if named and named[1] in ids:
            entries[nth] = re.sub(r"^([ \t]*enabled[ \t]*=[ \t]*)false\b", r"\1true", entry, flags=re.M)
    return "".join(entries)


def add(
    config: Config, url: str, progress: Progress, *, outlet_id: str | None = None, enable: bool = False,
    allow_private: bool = False, clock: Clock = utc_now,
) -> _Explored:  # fmt: skip
    """Find out where a site lists its articles, and append an entry with what works, best first.

    Returns the entry, its text, and all that was tried. Raises UsageError for what is no address or is there already,
    WorkError when the site refuses or lists nothing.
    """
    home = asked_for(url, "" if "://" in url else "https://")
    names = (urlsplit(home).hostname or "").removeprefix("www.").split(".")
    wanted = outlet_id or re.sub(r"[^a-z0-9_-]", "-", max(names[:-1] or names, key=len))
    for known in config.outlets:
        if known.id == wanted or (on_site(home, known.homepage) and not outlet_id):
            mend = f"`rasid outlets check {known.id}` tries it, --id with another name adds another part of its site"
            raise UsageError(f"{config.file(OUTLETS)} has {known.id} ({known.homepage}) already; {mend}")
    blank = Outlet(wanted, "", "", Address(home), enabled=enable, allow_private=allow_private)
    progress(f"looking at {home}")
    explore = partial(_explore, blank, None if "://" in url else home.replace("https", "http", 1), clock)
    told = visit_aside(config, (blank,), lambda crawls: crawls.probe(blank, explore))
    if told is None or isinstance(told, str):
        raise WorkError(f"{home}: {told or 'ended early'}; nothing was written")
    outlet, text, _ = told
    _edit(config, lambda old, all_: ("\n\n".join(filter(None, (old.removesuffix("\n"), text))), (*all_, outlet)))
    return told


async def _explore(blank: Outlet, plain: str | None, clock: Clock, fetch: Fetch) -> _Explored | str:
    """The entry `blank` filled in, its text, and all that was tried; or in words why there is nothing to say. `plain`:
    the home page by http, for a site that does not answer by https."""
    findings: list[Finding] = []

    async def tries(sources: Iterable[Source]) -> None:
        for kind, url in sources:
            if len(findings) < TRIED_MAX and url not in {f.url for f in findings}:
                findings.extend(await _try(blank, [(kind, url)], DAYS, clock, fetch))

    answer, listing = await fetch("section", blank.homepage)
    if plain and answer.miss in ("outage", "tls", "timeout"):
        findings.append(Finding(blank.id, "homepage", blank.homepage, "unreachable", detail=f"{answer.error}; so http"))
        blank = msgspec.structs.replace(blank, homepage=plain)
        answer, listing = await fetch("section", plain)
    stands = effective(answer.page, None)
    if answer.miss or stands.status in ("blocked", "outage", "gone"):
        return answer.error or stands.why
    if not on_site(answer.page.final_url, blank.homepage):
        return f"leads to {answer.page.final_url}; add that one if it is the outlet's"
    home, root = read_home(answer.page), f"{blank.homepage.rstrip('/')}/"
    await tries([*home.sources, *addresses((("sitemap", url) for url in answer.sitemaps), root)])
    await tries([(f.kind, f.leads_to) for f in findings if f.leads_to and f.own_site and f.items])
    for kind, place in DATA["conventions"]:
        if not any(f.kind == kind and f.state == "works" for f in findings):
            await tries(addresses([(kind, place)], root))
    if not any(f.items for f in findings):
        said = Finding(blank.id, "section", blank.homepage, "")
        findings.append(judge(said, answer, listing, blank.homepage, clock(), DAYS))
    if not any(f.items and f.state in ("works", "silent") for f in findings):
        return "\n  ".join(["nothing there lists articles", *map(str, findings)])
    if rest := next((f.url for f in findings if f.kind == "wordpress" and f.items), None):
        answer, _ = await fetch("", f"{rest}{'&' if '?' in rest else '?'}_fields=timezone_string")
        with suppress(ValueError, KeyError, TypeError, OSError):
            home = replace(home, timezone=ZoneInfo(read_json(answer.page.body)["timezone_string"]).key)
    outlet = _entry(blank, home, findings)
    return outlet, _entry_text(outlet, home, findings, stamp(clock())[:10]), findings


def _entry(blank: Outlet, home: Home, findings: Iterable[Finding]) -> Outlet:
    """The entry of a site: what works, best first; silent sources after those."""
    good = [f for f in findings if f.items and f.state in ("works", "silent")]
    good.sort(key=lambda f: (f.state == "works", f.newest or "", f.items), reverse=True)
    urls = {kind: tuple(f.url for f in good if f.kind == kind) for kind in {f.kind for f in good}}
    host = urlsplit(blank.homepage).netloc
    return msgspec.structs.replace(
        blank, name_ar=home.name_ar or home.name_en or host, name_en=home.name_en or host, country=home.country,
        timezone=home.timezone, enabled=blank.enabled and any(f.fresh for f in good), feeds=urls.get("feed", ()),
        wordpress=urls.get("wordpress", (None,))[0], sitemaps=urls.get("sitemap", ()),
        sections=urls.get("section", ()), telegram=urls.get("telegram", ()),
    )  # fmt: skip


def _entry_text(outlet: Outlet, home: Home, findings: Iterable[Finding], day: str) -> str:
    """An entry as it stands in the file, what was tried as comments. JSON's strings and lists are TOML's, too."""
    said = f"system {home.system or 'unknown'}, language {home.language or 'unknown'}"
    rows = ["[[outlet]]", f"# Tried on {day}; the site tells: {said}.", *(f"# {f}" for f in findings)]
    if outlet.timezone is None:
        rows.append('# The site does not tell its time zone; where its pages print times, add timezone = "...".')
    plain = msgspec.structs.asdict(Outlet("", "", "", Address()))
    for name, value in msgspec.structs.asdict(outlet).items():
        if value != plain[name] or name in ("kind", "enabled"):
            rows.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join([*rows, ""])


def _edit(config: Config, change: Callable[[str, tuple[Outlet, ...]], tuple[str, tuple[Outlet, ...]]]) -> None:
    """Replace the registry's text whole, once it reads as expected; `change` gives both."""
    file = config.file(OUTLETS).resolve()
    text = file.read_bytes().decode("utf-8") if file.exists() else ""
    changed, expected = change(text, read_outlets(file, text))
    if read_outlets(file, changed) != expected:
        raise WorkError(f"{file} is written in a way that cannot be changed by itself; nothing was written")
    fresh = file.with_name(f".{file.name}.new")
    try:
        with fresh.open("wb") as out:
            out.write(changed.encode("utf-8"))
            out.flush()
            os.fsync(out.fileno())
        if file.exists():
            shutil.copymode(file, fresh)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
