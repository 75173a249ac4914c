"""What makes no edit is taken out of a text: spacing, tashkeel, tatweel, marks, the script of digits.        [pure]"""

from __future__ import annotations

import re
import unicodedata
from html import unescape


def fold(text: str) -> str:
    """What remains of a text when everything is taken out that makes no edit; never stored, never shown."""
    text = text.replace("اﷲ", "ﷲ")  # the ligature has its first letter, which some write before it
    text = _MARKUP.sub(" ", _THIN.sub("", unescape(unescape(text))))
    text = _SIGN.sub(_sign, _DATE.sub(_date, unicodedata.normalize("NFKC", text).translate(TABLE)))
    return _GAP.sub(_gap, _ZERO.sub("", _THOUSANDS.sub("", text)))


_TASHKEEL = {*range(0x0610, 0x061B), *range(0x064B, 0x0653), *range(0x0656, 0x0660), 0x0670, *range(0x06D6, 0x06EE)}
_KEYBOARDS = {  # of other languages, or for show; the same in print
    "ی": "ي", "ے": "ي", "ک": "ك", "ڪ": "ك", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۀ": "ه", "ٱ": "ا", "ۃ": "ة",
}  # fmt: skip
# Markup and escapes left in a text, and numbers in boxes, as 1️⃣
_MARKUP = re.compile(r"</?[a-z][^<>\n]{0,300}>|</?[a-z]+$|\\[nrt](?![a-z])|\d\ufe0f?\u20e3", re.I)
_THOUSANDS = re.compile(r"(?<=\d)[,.](?=\d{3}(?!\d))")
_THIN = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")  # parts thousands, too
_SIGN = re.compile(r"([%$€£]) ?(\d+(?:[.,]\d+)*)(?![\d%$€£])")  # the sign stands on either side
# A date, from either end, whatever parts it
_DATE = re.compile(r"(?<!\d)(\d{1,2}|\d{4})[-/.](\d{1,2})[-/.](\d{1,2}|\d{4})(?!\d)")
_ZERO = re.compile(r"(?<![\d.:/-])0(?=\d[.:]\d\d(?!\d))")  # of an hour
_GAP = re.compile(r"[ ,./:-]+")


class _Table(dict[int, str]):
    """What becomes of each code point, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = become = self._of(code, chr(code))
        return become

    @staticmethod
    def _of(code: int, char: str) -> str:
        kind = unicodedata.category(char)
        if char in _KEYBOARDS:
            return _KEYBOARDS[char]
        if (
            code in _TASHKEEL
            or char == "ـ"
            or 0xFE00 <= code < 0xFE10
            or (kind in ("Cf", "Cc", "Cn") and not char.isspace())
        ):
            return ""
        if kind == "Nd":
            return str(unicodedata.digit(char))
        if kind == "Pd":
            return "-"
        if char in "٪%":
            return "%"
        if char in "،٫٬":
            return "." if char == "٫" else ","
        if char in ",./:":
            return char
        if (
            char.isspace()
            or kind[0] in "PZ"
            or kind in ("Sk", "So", "Me")
            or char in "<>|~="
            or 0x2190 <= code < 0x2200
        ):
            return " "
        return char


TABLE = _Table()
"""What becomes of each code point, before what parts digits is told from punctuation."""


def _date(match: re.Match[str]) -> str:
    first, month, last = match.groups()
    day, year = (last, first) if len(first) == 4 else (first, last)
    return f"{int(day)}/{int(month)}/{year}" if len(day) < 3 < len(year) else match.group()


def _sign(match: re.Match[str]) -> str:
    return match[2] + match[1]


def _gap(match: re.Match[str]) -> str:
    """That digits are parted counts (3.5, 21/1, 12 15), by which marks does not; elsewhere neither does."""
    text, (start, end) = match.string, match.span()
    if not (start and end < len(text) and text[start - 1].isdigit() and text[end].isdigit()):
        return ""
    gap = match.group()
    if "-" in gap or "/" in gap:
        return "/"
    return "." if ":" in gap or " " not in gap else " "  # a comma before a part of one is a point
