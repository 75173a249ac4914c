"""What tests of the running service share: an impatient desk, the service as a process, and a wait for what comes."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from email import message_from_bytes, policy

from archive.sqlite import connect_read
from tests import program
from tests.program import ROOT, Running

TITLE = "قسد تنقل الدفعة {n} من معتقلي داعش من الحسكة"
# Each in words of its own, so that none is told as a copy of another.
TEXTS = """نقلت قوات سوريا الديمقراطية عشرات من معتقلي داعش من سجن الصناعة تحت حراسة. وقال شهود إن الطريق أغلق ساعات.
تسلم العراق من قسد قافلة تقل محتجزين من تنظيم داعش عبر معبر ربيعة. وأوضح متحدث في بغداد أن القضاء سينظر في ملفاتهم.
أحبط حراس سجن غويران الذي تديره قسد محاولة فرار دبرها سجناء داعش ليلا. وعثر المحققون على نفق قصير وأدوات حفر بدائية.
زار وفد من الصليب الأحمر محتجزي داعش لدى قوات سوريا الديمقراطية واطلع على الرعاية الطبية. ودعا إلى تحسين الغذاء.
قررت هولندا إعادة أطفال من مخيم الهول حيث تحتجز قسد عائلات داعش. ورحبت منظمات حقوقية بالخطوة ووصفتها بالمتأخرة.
نفذ التحالف الدولي إنزالا قرب الشدادي واعتقل قياديا في داعش وسلمه إلى قسد. وشارك في العملية ثلاث مروحيات وكلاب مدربة.
بدأت في القامشلي محاكمة متهمين من داعش أوقفتهم قوات سوريا الديمقراطية قبل أعوام. ويحضر الجلسات محامون وصحفيون محليون.
نقلت مصادر طبية إصابة سبعة من معتقلي داعش بالسل في سجن تديره قسد جنوب الرقة. وعزل المرضى وأرسلت عينات إلى مختبر.
أفرجت قسد بكفالة عشائرية عن موقوفين لم تثبت صلتهم بداعش في دير الزور. واستقبلهم وجهاء المنطقة بخيمة صلح.
تظاهر ذوو مفقودين أمام مقر لقسد مطالبين بكشف مصير أبنائهم الذين خطفهم داعش. ورفعوا صورا ولافتات تطالب بلجنة مستقلة.
خصصت واشنطن منحة لتدريب حراس قسد في السجون التي تضم عناصر داعش. ويشمل البرنامج كاميرات وبوابات إلكترونية.
أعلنت دمشق اتفاقا مع قسد على تسلم ملف معتقلي داعش تدريجيا. وينص البند الرابع على لجنة مشتركة للتحقق من الأسماء.
سلمت قسد فرنسا أربعة يتامى من أبناء مقاتلي داعش في مطار صغير. ورافقتهم طبيبة نفسية ومترجمة خلال الرحلة.
دهمت قوة من قسد مزرعة في ريف منبج وضبطت وثائق لخلية من داعش. وتضمنت الأوراق خرائط وقوائم مالية مشفرة.""".splitlines()


def text(n):
    return f"{TEXTS[n % len(TEXTS)]}\nالخبر رقم {n}."


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def configure(directory, site, mail_port, *, backlog="each", every="2s"):
    """A desk that watches one outlet at loopback, impatiently."""
    (directory / "rasid.toml").write_text(
        f"""
contact = "desk@example.org"
[crawl]
every = "{every}"
delay = "50ms"
[revisit]
ladder = ["2s", "4s", "8s", "16s", "1h"]
confirm_after = "2s"
[keep]
free_space = "1MB"
[smtp]
host = "127.0.0.1"
port = {mail_port}
security = "none"
sender = "rasid@example.org"
[[alert]]
name = "all"
topics = ["syria", "isis_detainees", "sdf"]
to = ["reader@example.org"]
backlog = "{backlog}"
on = ["new", "edited", "withdrawn", "restored"]
"""
    )
    (directory / "outlets.toml").write_text(
        f"""
[[outlet]]
id = "local"
name_ar = "صحيفة الاختبار"
name_en = "Local"
homepage = "{site.url}/"
feeds = ["{site.url}/feed"]
allow_private = true
""",
        encoding="utf-8",
    )
    return directory


@contextmanager
def service(directory):
    """`rasid run`, killed at the end if it still runs."""
    process = Running("run", "--config", directory, out=directory / "service.log")
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)


@contextmanager
def started(directory, *arguments):
    """The program as a shell starts it, killed at the end if it still runs."""
    command = [sys.executable, "-m", "crawler", *arguments, "--config", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def rasid(directory, *arguments):
    return program.rasid(*arguments, "--config", directory)


def rows(directory, sql):
    if not (directory / "archive.db").exists():
        return []
    db = connect_read(directory / "archive.db")
    try:
        return [tuple(row) for row in db.execute(sql).fetchall()]
    finally:
        db.close()


def until(true, seconds=40, what="what was waited for"):
    """Wait until `true()` is; its value is returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if value := true():
                return value
        except Exception as error:  # the archive may not be there yet
            last = error
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come in {seconds} s" + (f": {last!r}" if "last" in locals() else ""))


def publish(site, *numbers):
    """Articles with these numbers, and the feed of all of them."""
    links = [site.article(f"/news/{n}.html", TITLE.format(n=n), text(n)) for n in numbers]
    site.feed("/feed", links)
    return links


def mails(sink):
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in sink.mails]
