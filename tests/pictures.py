"""Pictures of mails, as a phone and a wide screen show them: `make pictures` writes some into docs/mail.

Made-up articles, in Arabic and English, light and dark, by the system's Chromium; `python -m tests.pictures DIR all`
writes every one.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from archive.alerts.plan import operator_notice
from archive.alerts.render import write
from archive.alerts.rules import AlertRule, Figures, Language
from archive.alerts.telling import read_mail
from archive.frontier import OutletRow, sync_outlets
from archive.looks import look
from archive.models import Article, Look
from archive.times import later
from tests.archive_kit import NOW, RULES, SANA, Kit, unlike

FURAT = OutletRow("furat", "صوت الفرات", "Euphrates Voice", "newspaper", "SY", "https://furat.example", None)
TRANSFER = Article(
    title="قسد تنقل دفعة من معتقلي داعش من سجن غويران إلى العراق",
    text="نقلت قوات سوريا الديمقراطية، فجر الأربعاء، 35 معتقلاً من تنظيم داعش من سجن غويران في الحسكة إلى العراق.\n"
    "وقال شهود إن قافلة من عشرين سيارة عبرت الطريق الدولي عند الفجر، ترافقها آليات التحالف (CENTCOM).\n"
    "ويقبع في سجون المنطقة آلاف المحتجزين منذ سنوات دون محاكمة، وبينهم أجانب من نحو خمسين دولة.\n"
    "ولم يصدر عن التحالف تعليق رسمي حتى ساعة إعداد هذا الخبر.",
    author="ليلى حداد", published_at="2026-01-21", extractor="test 1",
)  # fmt: skip
EDITED = replace(
    TRANSFER, title=TRANSFER.title.replace("دفعة", "150"),
    text=TRANSFER.text.replace("35 معتقلاً", "150 معتقلاً").replace("ولم يصدر", "وأكد").replace("تعليق رسمي", "النقل"),
)  # fmt: skip

LANGUAGES: tuple[Language, ...] = ("ar", "en")
KEPT = ("edited-ar-360", "digest-ar-360", "withdrawn-ar-360", "new-en-360", "edited-en-1200")
HEIGHTS = {"new": (880, 680), "edited": (1470, 1200), "digest": (1530, 1270), "withdrawn": (730, 620),
           "restored": (705, 600), "notice": (305, 280)}  # narrow, wide  # fmt: skip


def mails(directory: Path, language: Language) -> dict[str, str]:
    """The HTML of each mail, by name."""
    several = [f"https://furat.example/{number}" for number in range(4)]
    instant = AlertRule("معتقلو داعش" if language == "ar" else "detainees", ("isis_detainees", "sdf"), ("a@b.example",),
                        timezone="Asia/Damascus", language=language, figures=Figures(least=10),
                        on=("new", "edited", "withdrawn", "restored"))  # fmt: skip
    daily = msgspec.structs.replace(instant, name="يومي" if language == "ar" else "daily", when="daily",
                                    to=("d@b.example",))  # fmt: skip
    ours = AlertRule("service", to=("o@b.example",), kind="operator", language=language)
    kit = Kit(directory, alerts=(instant, daily, ours))
    try:
        kit.do(lambda tx: sync_outlets(tx, [SANA, FURAT]))
        kit.save(TRANSFER)
        kit.save(TRANSFER, later(NOW, 300), url=several[0], outlet_id="furat")
        kit.save(EDITED, later(NOW, 600))
        trial = replace(unlike(3), title="محاكمة 12 متهماً بالانتماء إلى داعش في الرقة")
        kit.save(trial, later(NOW, 900), url=several[1], outlet_id="furat")
        for hours in (2, 4):
            at = kit.clock.at = later(NOW, hours * 3600)
            kit.home(at)
            kit.do(
                lambda tx, at=at: look(tx, Look("https://sana.example/1", at, "gone", crawl_id=kit.crawl, status=404))
            )
        kit.save(EDITED, later(NOW, 6 * 3600))
        kit.do(lambda tx: operator_notice(tx, "disk", "1.4 GB are free at /var/lib/rasid, less than keep.free_space: "
                                                      "nothing is fetched; free some space"))  # fmt: skip
        kinds = "SELECT min(m.id), e.kind FROM mails m JOIN mail_events j ON j.mail_id = m.id " \
                "JOIN events e ON e.id = j.event_id WHERE m.kind = 'instant' GROUP BY 2"  # fmt: skip
        found = {kind: number for number, kind in kit.rows(kinds)}
        found["digest"] = kit.one("SELECT id FROM mails WHERE kind = 'digest' AND recipient = 'd@b.example'")
        found["notice"] = kit.one("SELECT id FROM mails WHERE kind = 'notice'")
        rules = {"digest": [daily], "notice": [ours]}
        written = {
            name: kit.do(lambda tx, n=n, name=name: read_mail(tx.db, n, rules.get(name, [instant]), RULES, tx.now()))
            for name, n in found.items()
        }  # fmt: skip
    finally:
        kit.writer.close()
    return {name: write(mail, contact="desk@example.org", desk_url="https://desk.example").html
            for name, mail in written.items()}  # fmt: skip


def picture(html: Path, to: Path, width: int) -> None:
    """What Chromium shows of a page in frames of a width, light and dark: a window is never as narrow as a phone."""
    wide, height = width > 600, HEIGHTS[html.stem][width > 600]
    frames = "".join(
        f'<iframe src="{html.name}" width={width} height={height} style="border:0;display:block;color-scheme:{scheme}">'
        "</iframe>"
        for scheme in ("light", "dark")
    )
    page = html.with_suffix(f".{width}.html")
    page.write_text(f'<body style="margin:0;display:{"block" if wide else "flex"}">{frames}', "utf-8")
    size = (width, 2 * height) if wide else (2 * width, height)
    subprocess.run(
        [shutil.which("chromium") or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         f"--window-size={size[0]},{size[1]}", f"--screenshot={to}", page.as_uri()],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip


def main(out: Path, *, every: bool) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        for language in LANGUAGES:
            (place := Path(scratch) / language).mkdir()
            for name, html in mails(place, language).items():
                (page := place / f"{name}.html").write_text(html, encoding="utf-8")
                for width in (360, 1200):
                    if every or f"{name}-{language}-{width}" in KEPT:
                        picture(page, out / f"{name}-{language}-{width}.png", width)


if __name__ == "__main__":
    main(Path(sys.argv[1]), every="all" in sys.argv)
