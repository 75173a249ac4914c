"""What a page's bytes are as text, and what its header says they are.                                      [pure]"""

from __future__ import annotations

import re

from archive.models import Page

ARABIC = re.compile(r"[\u0621-\u064a]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")  # no reader's, and XML forbids them
_SPELLED = re.compile(  # the same as references, which word processors leave in texts
    r"&#(?:0{0,9}(?:[1-8]|1[124-9]|2\d|3[01]|127)|x0{0,9}(?:[1-8bcef]|1[\da-f]|7f|fff[ef]))(?:;|(?![\da-f]))", re.I
)
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode(body: bytes, declared: str | None = None) -> str:
    """Bytes to text. What the bytes are beats what is declared: Arabic in windows-1256 is never valid UTF-8.

    `declared` is the charset of the HTTP header; one in the page's first bytes is looked for.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body.decode(name, "replace").lstrip("\ufeff")
    text: str = body.decode("utf-8", "replace")
    if text.count("\ufffd") <= 0.02 * len(body.translate(None, bytes(range(128)))):
        return text
    in_page = re.search(rb"charset\s*=\s*[\"']?\s*([\w-]+)", body[:2048])
    names: list[str | None] = [declared, in_page[1].decode("ascii") if in_page else None, "windows-1256", "iso-8859-6"]
    best: str = text
    for charset in names:
        try:
            other = body.decode(charset or "utf-8", "replace")
        except (LookupError, UnicodeError):
            continue
        if len(ARABIC.findall(other)) > len(ARABIC.findall(best)) * 1.1:
            best = other
    return best


def printable(text: str) -> str:
    """Text without control characters and halves of surrogate pairs, which neither XML nor UTF-8 can hold."""
    text = _CONTROL.sub(lambda found: " " * (found[0] in "\v\f"), _SPELLED.sub(" ", text))
    return text.encode("utf-8", "replace").decode()


def _header(page: Page) -> str:
    return next((value for name, value in page.headers if name.lower() == "content-type"), "")


def content_type(page: Page) -> str:
    """The media type of the HTTP header, bare and in lower case; empty where none was sent."""
    return _header(page).split(";")[0].strip().lower()


def charset_of(page: Page) -> str | None:
    """The charset of the HTTP header."""
    return charset_in(_header(page))


def charset_in(content_type: str) -> str | None:
    """The charset that a Content-Type names."""
    found = re.search(r"charset\s*=\s*\"?([\w-]+)", content_type, re.I)
    return found[1] if found else None
