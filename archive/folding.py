"""What makes no edit is taken out of a text: spacing, tashkeel, tatweel, marks, the script of digits.        [pure]"""

from __future__ import annotations

import re
import unicodedata
from html import unescape


def fold(text: str) -> str:
    """What remains of a text when everything is taken out that makes no edit; never stored, never shown."""
    text = text.replace("اﷲ", "ﷲ")  # the ligature has its first letter, which some write before it
    text = unicodedata.normalize("NFKC", _THIN.sub("", unescape(unescape(text)))).translate(TABLE)
    return _GAP.sub(_gap, _PERCENT.sub(r"\1%", _THOUSANDS.sub("", _DATE.sub(r"\1/\2/\3", text))))


_TASHKEEL = {*range(0x0610, 0x061B), *range(0x064B, 0x0653), *range(0x0656, 0x0660), 0x0670, *range(0x06D6, 0x06EE)}
_KEYBOARDS = {"ی": "ي", "ک": "ك", "ہ": "ه", "ھ": "ه", "ٱ": "ا", "ۃ": "ة"}  # of other languages; the same in print
_THOUSANDS = re.compile(r"(?<=\d)[,.](?=\d{3}(?!\d))")
_THIN = re.compile(r"(?<=\d)[\u00a0\u2009\u202f](?=\d{3}(?!\d))")  # parts thousands, too
_PERCENT = re.compile(r"% ?(\d+(?:[.,]\d+)?)(?![\d%])")  # the sign stands on either side
_DATE = re.compile(r"(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?!\d)")  # whatever parts day, month and year
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
        if char.isspace() or kind[0] in "PZ" or kind in ("Sk", "So", "Me") or char in "<>|~" or 0x2190 <= code < 0x2200:
            return " "
        return char


TABLE = _Table()
"""What becomes of each code point, before what parts digits is told from punctuation."""


def _gap(match: re.Match[str]) -> str:
    """Between two digits what parts them counts (3.5, 21/1, 10:30, 12 15); anywhere else it does not."""
    text, (start, end) = match.string, match.span()
    if not (start and end < len(text) and text[start - 1].isdigit() and text[end].isdigit()):
        return ""
    gap = match.group()
    part = next((char for char in gap if char in "-/:"), None)
    return part or (" " if " " in gap else ".")  # a comma before a part of one is a point
