"""Canonical addresses: one article, one spelling.                                                        [pure]"""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urljoin, urlsplit

from archive.errors import UsageError

# What newsletters, social networks and advertisers append; the page is the same without it.
_TRACKING = re.compile(
    r"(utm_|mtm_|hsa_|fb_action_|_hs).*|fbclid|gclid|gclsrc|dclid|[gw]braid|msclkid|yclid|twclid|ttclid|igshid|igsh|"
    r"mc_[ce]id|_ga|_gl|ref_(src|url)|at_(medium|campaign|format|ptr_name|link_(id|type|origin))"
)
_MARKS = "\ufeff\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_EDGES = "".join(map(chr, range(0x21))) + "\x7f\x85\xa0\u2028\u2029" + _MARKS  # never part of an address
_PORTS = {"http": 80, "https": 443}
_MAX = 4096  # characters; a longer address is a trap or a mistake
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNSAFE = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]|%(?![0-9A-F]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_HOST = re.compile(r"(?=[a-z0-9_])(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*(?<!-)|\[[0-9a-f:.]+\]")


def canonical(url: str, base: str | None = None) -> str:
    """The one spelling of a web address, ASCII only; relative ones are resolved against `base`.

    Scheme and host in lower case, no default port, no fragment, no tracking parameters, no dot segments; Arabic as
    upper-case percent-encoded UTF-8. Idempotent. Raises ValueError for what is no http or https address, carries a
    password, or is longer than 4096 characters.

    >>> canonical("HTTPS://Example.org:443/a/../خبر?utm_source=x&id=7#top")
    'https://example.org/%D8%AE%D8%A8%D8%B1?id=7'
    """
    # Browsers read a backslash as a slash; not to do so would let "good.example\@10.0.0.1" name another host.
    path, mark, query = url.strip(_EDGES).partition("?")
    text = path.replace("\\", "/") + mark + query
    if len(text) > _MAX:
        raise ValueError(f"longer than {_MAX} characters")
    parts = urlsplit(urljoin(base, text) if base else text)
    if parts.scheme not in _PORTS:
        raise ValueError("it does not start with http:// or https://")
    if "@" in parts.netloc:
        raise ValueError("it carries a user name")
    host = (parts.hostname or "").rstrip(".")
    host = host if host.isascii() else host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    if not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is no host name")
    netloc = host if parts.port in (None, _PORTS[parts.scheme]) else f"{host}:{parts.port}"
    path = _dotless(_escaped(parts.path))
    kept = [p for p in _escaped(parts.query).split("&") if p and not _TRACKING.fullmatch(p.partition("=")[0].lower())]
    result = f"{parts.scheme}://{netloc}{path}{'?' if kept else ''}{'&'.join(kept)}"
    if len(result) > _MAX:
        raise ValueError(f"longer than {_MAX} characters")
    return result


def asked_for(text: str, scheme: str = "") -> str:
    """The canonical address that a person typed, perhaps without its `scheme`. Raises UsageError."""
    try:
        return canonical(scheme + text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no web address: {error}") from error


def resolved(said: str | None, base: str) -> str | None:
    """The canonical address that a page at `base` means by what it says; None where that is none.

    >>> resolved("../خبر", "https://example.org/a/b"), resolved("mailto:x", "https://example.org/"), resolved("", "x")
    ('https://example.org/%D8%AE%D8%A8%D8%B1', None, None)
    """
    with suppress(ValueError):
        return canonical(said, base) if said else None
    return None


def host_key(url: str) -> str:
    """`host:port` of a canonical address: what politeness is counted by.

    >>> host_key("https://example.org/a")
    'example.org:443'
    """
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or _PORTS.get(parts.scheme, 0)}"


def same_site(a: str, b: str) -> bool:
    """Whether two addresses are on one host: with or without `www.`, or of its twins for telephones."""
    return _bare(a) == _bare(b)


def on_site(url: str, home: str) -> bool:
    """Whether an address is on the site of a home page, or on a host below it.

    >>> on_site("https://feeds.example.org/a", "https://www.example.org/"), on_site("https://b.org/", "https://ab.org/")
    (True, False)
    """
    host, own = (urlsplit(u).netloc.removeprefix("www.") for u in (url, home))
    return host == own or host.endswith(f".{own}")


def _bare(url: str) -> str:
    return re.sub(r"^(?:(?:www|m|mobile|amp|wap|touch)\.)+(?=.*\.)", "", urlsplit(url).hostname or "")


def _escaped(text: str) -> str:
    """Every byte in its one spelling: unreserved characters as they are, all else percent-encoded UTF-8."""

    def spell(found: re.Match[str]) -> str:
        char = chr(int(found[1], 16))
        return char if char in _UNRESERVED else f"%{found[1].upper()}"

    def encode(found: re.Match[str]) -> str:
        return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8"))

    return _UNSAFE.sub(encode, _ESCAPE.sub(spell, text))


def _dotless(path: str) -> str:
    """Remove `.` and `..` segments, as RFC 3986 5.2.4 does for an absolute path."""
    kept: list[str] = []
    *segments, last = path.split("/")[1:] if path else [""]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last == "..":
        del kept[-1:]
    return "/" + "".join(f"{segment}/" for segment in kept) + ("" if last in (".", "..") else last)
