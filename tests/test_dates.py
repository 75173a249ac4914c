"""Dates as Arabic sites print them. Nothing guessed: what the line does not say stays unknown."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.arabic import dates
from archive.arabic.dates import read_date, read_line

NOW = datetime(2026, 1, 21, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("٢١ كانون الثاني ٢٠٢٦", "2026-01-21"),
        ("21 كانون الثاني/يناير 2026", "2026-01-21"),
        ("21 كانون الثاني (يناير) 2026", "2026-01-21"),
        ("04 آب/اغسطس 2025", "2025-08-04"),
        ("9 ديسمبر، 2024", "2024-12-09"),
        ("فبراير 7, 2026", "2026-02-07"),
        ("12 فيفري 2025", "2025-02-12"),
        ("3 جويلية 2023", "2023-07-03"),
        ("15 أوت 2023", "2023-08-15"),
        ("20 غشت 2023", "2023-08-20"),
        ("17 دجنبر 2025", "2025-12-17"),
        ("7 الفاتح 2005", "2005-09-07"),
        ("05/03/2024", "2024-03-05"),  # day first
        ("12/25/2024", "2024-12-25"),  # can only be read month first
        ("2026/1/21", "2026-01-21"),
        ("٢ شعبان ١٤٤٧", "2026-01-21"),
        ("1447/08/02 هـ", "2026-01-21"),
        ("الأربعاء 2 شعبان 1447 هـ الموافق 21 يناير 2026 م", "2026-01-21"),
        ("تاريخ النشر: 10th, December 2024 GMT", "2024-12-10"),
        ("Mon, 24 Aug 2020 09:23:13 GMT", "2020-08-24T09:23:13+00:00"),
        ("01:27 ص ,14 نوفمبر 2019", "2019-11-14T01:27"),
        ("تم نشره الجمعة 24 نيسان / أبريل 2020 09:22 مساءً", "2020-04-24T21:22"),
        ("السبت 17/01/2026 - 12:30 م", "2026-01-17T12:30"),
        ("17 يناير 2026، 12:05 ص", "2026-01-17T00:05"),
        ("09:23 - 10 أغسطس 2020", "2020-08-10T09:23"),  # a dash before a day is no offset
        ("10 أغسطس 2020 09:23 GMT+3", "2020-08-10T09:23+03:00"),
        ("21 يناير 2026 الساعة 14:30 بتوقيت دمشق", "2026-01-21T14:30+03:00"),
        ("2025-09-06T20:26:33+0300", "2025-09-06T20:26:33+03:00"),
        ("2022-11-25T00:00:00+02:00", "2022-11-25"),  # a machine's midnight is a day
        ("نُشر في 10 يناير 2026 - آخر تحديث 12 يناير 2026", "2026-01-10"),
        ("آخر تحديث 12 يناير 2026، تاريخ النشر: 10 يناير 2026", "2026-01-10"),
        ("أمس الساعة 10:30 م", "2026-01-20T22:30"),
        ("قبل يومين", "2026-01-19"),
        ("منذ أسبوع", "2026-01-14"),
    ],
)
def test_reads(line, value):
    assert read_date(line, NOW).value == value


@pytest.mark.parametrize(
    "line",
    [
        "في 21 كانون الثاني/يناير",  # no year
        "9 ديسمبر",
        "2026",
        "جميع الحقوق محفوظة © 2026",
        "© 10 يناير 2026 جميع الحقوق محفوظة",
        "آخر تحديث: 10 يناير 2026 - 12:30",
        "حُدّث في 3 يناير 2026",
        "31/02/2024",
        "30 شباط 2024",
        "21 كانون الثاني/فبراير 2026",  # the two names disagree
        "21/1/26",
        "منذ ساعات",
        "منذ شهر",
        "وقال الوزير اليوم إن الاجتماع عقد قبل يومين",
        "المادة 12/2024/55",
        "",
    ],
)
def test_never_invents(line):
    assert read_date(line, NOW) is None


def test_relative_times_count_from_the_reading_and_stand_in_the_outlets_zone():
    assert read_date("منذ 3 ساعات", NOW, "Asia/Damascus").value == "2026-01-21T10:00+03:00"
    assert read_date("منذ 3 ساعات", NOW, "Asia/Damascus").precision == "hour"
    assert all(read_date(line, NOW).relative for line in ("منذ 3 ساعات", "قبل يومين", "أمس الساعة 10:30"))
    assert not read_date("21 يناير 2026", NOW).relative
    assert read_date("قبل خمس دقائق", NOW, "Africa/Cairo").value == "2026-01-21T11:55+02:00"
    late = datetime(2026, 1, 21, 22, 30, tzinfo=UTC)  # already tomorrow in Damascus
    assert read_date("أمس", late, "Asia/Damascus").value == "2026-01-21"


def test_a_printed_zone_beats_the_outlets_and_a_day_has_none():
    assert read_date("21 يناير 2026 14:30 بتوقيت غرينتش", NOW, "Asia/Damascus").value == "2026-01-21T14:30+00:00"
    assert read_date("21 يناير 2026 14:30", NOW, "Africa/Cairo").value == "2026-01-21T14:30+02:00"
    assert read_date("21 يوليو 2026 14:30", NOW, "Africa/Cairo").value == "2026-07-21T14:30+03:00"  # summer time
    assert read_date("21 يناير 2026", NOW, "Africa/Cairo").value == "2026-01-21"
    assert read_date("21 يناير 2026 14:30", NOW, "Nowhere/Land").value == "2026-01-21T14:30"


def test_a_line_tells_whether_it_is_only_a_date():
    assert read_line("الثلاثاء، 20 يناير 2026 09:15 م", NOW).alone
    assert read_line("تاريخ النشر: 20-01-2026", NOW).labelled
    assert read_line("آخر تحديث: 20 يناير 2026", NOW).updated
    assert not read_line("نشرت الوزارة في 5 يناير 2026 بياناً", NOW).alone


@given(
    st.dates(date(1990, 1, 1), date(2060, 1, 1)),
    st.sampled_from(range(12)),
    st.sampled_from(["{}", "نشر في {}", "{} |"]),
)
def test_every_month_name_reads_back(day, which, frame):
    names = dates._WORDS["months"][day.month - 1]
    printed = f"{day.day} {names[which % len(names)]} {day.year}".translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    assert read_date(frame.format(printed), NOW).value == day.isoformat()


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)).filter(lambda moment: moment.hour or moment.minute))
def test_the_minute_reads_back_in_both_clocks(moment):
    half = "ص" if moment.hour < 12 else "م"
    short = f"{moment:%d/%m/%Y} {moment.hour % 12 or 12}:{moment:%M} {half}"
    for line in (short, f"{moment:%Y-%m-%d %H:%M}"):
        assert read_date(line, NOW).value == moment.isoformat(timespec="minutes")


@given(st.integers(1, 200))
def test_hours_ago(hours):
    wanted = (NOW - timedelta(hours=hours)).isoformat(timespec="minutes")
    assert read_date(f"منذ {hours} ساعة", NOW).value == wanted


@given(st.text(max_size=200))
def test_any_text_is_read_without_error(text):
    found = read_date(text, NOW, "Asia/Damascus")
    assert found is None or date.fromisoformat(found.value[:10])
