"""No public outlet leads to a private address: not by name, by redirect, by robots.txt, by proxy, by another scheme."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import crawler.middlewares
import crawler.resolver
from crawler.resolver import is_public
from tests.crawl_kit import TEXT, Desk
from tests.servers import Site, rss

HOSTS = ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]", "[::1]", "169.254.169.254"]


def test_a_public_outlet_leads_to_no_private_address(desk: Desk, site: Site) -> None:
    site.feed("/feed", [])
    for number, host in enumerate(HOSTS):
        desk.outlet(f"public{number}", site, allow_private=False, feeds=f'["http://{host}:{site.port}/feed{number}"]')
    desk.outlet("trusted", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl(*(f"public{number}" for number in range(len(HOSTS))))
    assert site.log == []  # not even robots.txt
    assert desk.outcomes() == {f"/feed{number}": "refused" for number in range(len(HOSTS))}
    desk.crawl("trusted")
    assert site.hits("/feed") == 1


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site on 127.0.0.2, which plays the public internet here."""
    for module in (crawler.resolver, crawler.middlewares):
        monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.2" or is_public(address))
    with Site(host="127.0.0.2") as site:
        yield site


def test_a_redirect_to_a_private_address_is_refused(desk: Desk, site: Site, public: Site) -> None:
    """By name and by number, even where another outlet may go."""
    for number, host in enumerate(HOSTS):
        public.route(f"/{number}", lambda visit, host=host: visit.redirect(f"http://{host}:{site.port}/inner"))
    public.route("/moved", lambda visit: visit.redirect(f"http://localhost:{site.port}/feed"))
    public.article("/fine", "نقل دفعة من معتقلي داعش", TEXT)
    public.feed("/feed", [f"{public.url}/{number}" for number in range(len(HOSTS))] + [f"{public.url}/fine"])
    site.feed("/feed", [])
    desk.outlet("public", public, allow_private=False, feeds=f'["{public.url}/feed", "{public.url}/moved"]')
    desk.outlet("trusted", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl("trusted", "public")
    assert (site.hits("/inner"), site.hits("/feed")) == (0, 1)  # the one is the trusted outlet's own
    refused = {path for path, outcome in desk.outcomes().items() if outcome == "refused"}
    assert refused == {f"/{number}" for number in range(len(HOSTS))} | {"/moved"}
    assert desk.outcomes()["/fine"] == "ok"


def test_robots_may_not_lead_to_a_private_address(desk: Desk, site: Site, public: Site) -> None:
    public.route("/robots.txt", lambda visit: visit.redirect(f"http://localhost:{site.port}/robots.txt"))
    public.feed("/feed", [])
    desk.outlet("public", public, allow_private=False, feeds=f'["{public.url}/feed"]')
    desk.open().crawl()
    assert site.log == []
    assert desk.outcomes() == {"/feed": "refused"}


def test_a_proxy_is_used_where_configured_and_carries_no_private_address(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # what the environment says does not count
    site.route("http://news.example/feed", lambda visit: visit.answer(rss(["http://news.example/a"])))
    site.route("http://news.example/a", lambda visit: visit.redirect(f"http://127.1:{site.port}/inner"))
    desk.outlet("public", site, allow_private=False, feeds='["http://news.example/feed"]')
    desk.settings["crawl.proxy"] = site.url
    desk.open().crawl()
    assert [hit.path.partition("example")[2] for hit in site.log] == ["/robots.txt", "/feed", "/a"]
    assert desk.outcomes()["/a"] == "refused"


def test_other_schemes_are_not_followed(desk: Desk, site: Site) -> None:
    site.route("/a", lambda visit: visit.redirect("file:///etc/passwd"))
    site.route("/b", lambda visit: visit.redirect("ftp://example.org/x"))
    site.feed("/feed", [f"{site.url}/a", f"{site.url}/b"])
    desk.outlet("one", site, feeds=f'["{site.url}/feed"]')
    desk.open().crawl()
    assert {desk.outcomes()[path] for path in ("/a", "/b")} == {"refused"}
