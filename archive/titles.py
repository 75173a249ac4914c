"""What a list, a subject line or a heading calls an article that may have no title, as posts have none.      [pure]"""

from __future__ import annotations


def heading(title: str, text: str, limit: int = 90) -> str:
    """The title; where there is none the first words of the text, at most `limit` characters of them.

    >>> heading("نقل معتقلين", "بدأت"), heading("", "عاجل: نقل دفعة من المعتقلين", 16)
    ('نقل معتقلين', 'عاجل: نقل دفعة…')
    """
    if title.strip():
        return title
    words = " ".join(text[: 4 * limit].split())
    return words if len(words) <= limit else words[:limit].rpartition(" ")[0].rstrip(" ،,؛:.-–|") + "…"
