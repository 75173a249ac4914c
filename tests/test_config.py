"""A mistake in the configuration is told before anything is fetched: file, key and the mend in one sentence."""

import pytest

from archive.errors import ConfigError, UsageError
from crawler.config import Duration, Size, load_config, load_in_part
from crawler.initial import write
from crawler.session import check, policy

SERVICE = """
contact = "desk@example.org"
[smtp]
host = "mail.example.org"
sender = "rasid@example.org"
[[alert]]
name = "detainees"
topics = ["isis_detainees"]
to = ["desk@example.org"]
"""
EMPTY_TOPIC = """
[term.syria]
forms = ["سوريا"]
[topic.empty]
name_ar = "فارغ"
"""
OUTLETS = """
[[outlet]]
id = "akhbar"
name_ar = "أخبار الشمال"
name_en = "Akhbar"
homepage = "https://akhbar.example"
timezone = "Asia/Damascus"
feeds = ["https://akhbar.example/feed"]
"""


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """A valid configuration to spoil, one thing at a time."""
    monkeypatch.delenv("RASID_TEST_PASSWORD", raising=False)
    (tmp_path / "rasid.toml").write_text(SERVICE, encoding="utf-8")
    (tmp_path / "outlets.toml").write_text(OUTLETS, encoding="utf-8")
    return tmp_path


def test_a_valid_configuration_gives_typed_values(directory):
    config = load_config(directory)
    assert config.crawl.delay == 2.0
    assert config.revisit.ladder[0] == 3600.0
    assert config.archive == directory / "archive.db"
    assert config.outlets[0].name_ar == "أخبار الشمال"
    assert config.alerts[0].strength == "substantive"
    assert set(config.rules.topics) == {"syria", "isis_detainees", "sdf"}


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("rasid.toml", "[smtp]", 'archve = "x.db"\n[smtp]', ["archve", "did you mean 'archive'"]),
        ("rasid.toml", "[smtp]", '[crawl]\nevry = "5m"\n[smtp]', ["crawl.evry", "did you mean 'every'"]),
        ("rasid.toml", "[smtp]", "[crawl]\ndelay = 2\n[smtp]", ["crawl.delay", '"15m"']),
        ("rasid.toml", "[smtp]", '[crawl]\nevery = "often"\n[smtp]', ["crawl.every", "interval"]),
        ("rasid.toml", "[smtp]", '[crawl]\nevery = "99 * * * *"\n[smtp]', ["crawl.every", "cron"]),
        ("rasid.toml", "[smtp]", "[crawl]\nconcurrency = 0\n[smtp]", ["crawl.concurrency", "1 or more"]),
        ("rasid.toml", "[smtp]", '[revisit]\nladder = ["3h", "1h"]\n[smtp]', ["revisit.ladder", "rise"]),
        ("rasid.toml", "[smtp]", '[keep]\nfree_space = "plenty"\n[smtp]', ["keep.free_space", "2GB"]),
        ("rasid.toml", "[smtp]", '[desk]\nurl = "localhost"\n[smtp]', ["desk.url", "localhost"]),
        ("rasid.toml", 'desk@example.org"\n[smtp]', 'nobody"\n[smtp]', ["contact", "e-mail"]),
        ("rasid.toml", "isis_detainees", "isis_detainee", ["alert detainees.topics", "did you mean 'isis_detainees'"]),
        ("rasid.toml", '["desk@example.org"]', '["desk"]', ["alert detainees.to", "desk"]),
        ("rasid.toml", 'name = "detainees"\n', "", ["name", "missing"]),
        (
            "rasid.toml",
            'host = "mail.example.org"',
            'host = "mail.example.org"\nport = "x"',
            ["smtp.port", "whole number"],
        ),
        ("rasid.toml", 'host = "mail.example.org"', 'host = "mail.example.org"\nport = 99999', ["smtp.port", "99999"]),
        ("rasid.toml", "mail.example.org", "mail.example.org:25", ["smtp.host", "smtp.port"]),
        ("rasid.toml", "mail.example.org", "", ["smtp.host"]),
        ("rasid.toml", 'host = "mail.example.org"', 'host = "h"\nsecurity = "ssl"', ["smtp.security", "'starttls'"]),
        ("rasid.toml", '["isis_detainees"]', '"isis_detainees"', ["alert 1.topics", "list", "text"]),
        ("rasid.toml", "[[alert]]", "[alert]", ["[[alert]]"]),
        ("rasid.toml", "[[alert]]", "[[alert]]\nfigures = { least = 0 }", ["alert 1.figures.least", "1 or more"]),
        ("rasid.toml", "isis_detainees", 'isis_detainees"]\non = ["deleted', ["alert 1.on 1", "'withdrawn'"]),
        ("rasid.toml", 'contact = "desk@example.org"\n', '[crawl]\ncontact = "a@b.org"\n', ["top of the file"]),
        ("rasid.toml", "desk@example.org", "مكتب@example.org", ["contact", "ASCII"]),
        ("rasid.toml", "desk@example.org", "https://e.org/\\r\\nX-Evil: 1", ["contact", "line break"]),
        ("rasid.toml", "[smtp]", "[keep]\npassed_days = 99999999\n[smtp]", ["keep.passed_days", "10000"]),
        ("rasid.toml", "contact =", 'archive = ""\ncontact =', ["archive", "no file"]),
        ("rasid.toml", "contact =", f"archive = {'[' * 5000}\ncontact =", ["not valid TOML"]),
        ("outlets.toml", "feeds", 'every = "0 0 31 2 *"\nfeeds', ["outlet akhbar.every", "never"]),
        ("outlets.toml", "feeds", 'every = "9999999d"\nfeeds', ["outlet akhbar.every", "interval"]),
        ("outlets.toml", "//akhbar.example/feed", "//u:p@akhbar.example/feed", ["outlet akhbar.feeds", "user name"]),
        ("rasid.toml", "contact =", "contact ==", ["not valid TOML", "line 2"]),
        ("outlets.toml", "https://akhbar.example/feed", "akhbar.example/feed", ["outlet akhbar.feeds", "https://"]),
        ("outlets.toml", "https://akhbar.example/feed", "file:///etc/passwd", ["outlet akhbar.feeds", "web address"]),
        ("outlets.toml", "https://akhbar.example/feed", "http://a:99999/", ["outlet akhbar.feeds", "web address"]),
        ("outlets.toml", "Asia/Damascus", "Asia/Damaskus", ["outlet akhbar.timezone", "time zone"]),
        ("outlets.toml", '"akhbar"', '"أخبار"', ["id", "lower-case"]),
        ("outlets.toml", "feeds", "feed", ["outlet 1.feed", "did you mean 'feeds'"]),
        ("outlets.toml", 'feeds = ["https://akhbar.example/feed"]', "", ["outlet akhbar", "no feed"]),
        ("outlets.toml", "[[outlet]]", OUTLETS + "[[outlet]]", ["twice"]),
    ],
)
def test_a_mistake_is_told_with_file_key_and_mend(directory, file, old, new, words):
    path = directory / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(directory)
    message = str(error.value)
    assert str(path) in message
    assert all(word in message for word in words), message
    assert "\n" not in message
    assert error.value.exit_code == 2


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("rasid.toml", "isis_detainees", "isis_detainee"),
        ("rasid.toml", 'name = "detainees"', 'name = "detainees'),
        ("rasid.toml", '["desk@example.org"]', '["desk@example.org"'),
        ("rasid.toml", "[smtp]", '[[alert]]\nname = "other"\ntopics = ["syria"]\n[smtp]'),
        ("rasid.toml", "contact =", 'alert = [{ name = "other", to = 5 }]\ncontact ='),
        ("outlets.toml", "\n[[outlet]]", '\n[[outlet]]\nid = "other"\nname_ar = "أخرى\n[[outlet]]'),
        ("outlets.toml", "\n[[outlet]]", '\n[[outlet]]\nid = "other"\nfeed = []\n[[outlet]]'),
        ("topics.toml", "", "[term]\n"),
    ],
)
def test_what_needs_little_of_a_configuration_works_beside_a_mistake_and_knows_it(directory, file, old, new):
    service, path = directory / "rasid.toml", directory / file
    service.write_text('archive = "kept.db"\n' + SERVICE + '[keep]\nfree_space = "5GB"\n', encoding="utf-8")
    assert load_in_part(directory) == load_config(directory)
    spoilt = path.read_text(encoding="utf-8").replace(old, new, 1) if path.exists() else new
    path.write_text(spoilt, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(directory)
    config = load_in_part(directory)
    assert str(config.mistake) == str(error.value)
    assert (config.archive, config.keep.free_space) == (directory / "kept.db", 5_000_000_000)
    assert [outlet.id for outlet in config.outlets] == ["akhbar"]
    assert config.watches("akhbar")
    assert config.watches("other")  # perhaps: what the service read before may well name it
    with pytest.raises(ConfigError):
        policy(config)  # nothing is stored by half a configuration


def test_a_registry_that_cannot_be_read_is_not_an_empty_one(directory):
    (directory / "outlets.toml").unlink()
    assert load_config(directory).outlets == ()
    (directory / "outlets.toml").mkdir()
    with pytest.raises(ConfigError, match="directory"):
        load_config(directory)


def test_where_the_archive_lies_is_not_guessed(directory):
    for mistake in ('archive = "kept.db\n', "archive = 5\n", 'contact "a"\narchive = "kept.db"\n', 'archive = "."\n'):
        (directory / "rasid.toml").write_text(mistake)
        with pytest.raises(ConfigError):
            load_in_part(directory)


def test_what_editors_add_to_a_file_does_no_harm(directory):
    path = directory / "rasid.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_config(directory).contact == "desk@example.org"


def test_a_topic_that_names_no_term_is_told(directory):
    (directory / "topics.toml").write_text(EMPTY_TOPIC, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(directory)
    assert str(directory / "topics.toml") in str(error.value)
    assert "empty" in str(error.value)


def test_an_empty_topics_file_is_told(directory):
    (directory / "topics.toml").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"topics\.toml: term: is missing"):
        load_config(directory)


def test_an_archive_without_configuration_says_how_to_begin(tmp_path):
    with pytest.raises(ConfigError, match="rasid init"):
        load_config(tmp_path)


def test_no_contact_no_crawl(directory):
    path = directory / "rasid.toml"
    path.write_text(path.read_text().replace('contact = "desk@example.org"\n', ""))
    with pytest.raises(ConfigError, match="contact"):
        check(load_config(directory))


def test_the_password_comes_from_the_environment_or_a_file_and_is_printed_nowhere(directory, monkeypatch):
    path = directory / "rasid.toml"
    path.write_text(path.read_text().replace("[smtp]", '[smtp]\nuser = "u"\npassword_env = "RASID_TEST_PASSWORD"'))
    with pytest.raises(ConfigError, match="RASID_TEST_PASSWORD"):
        load_config(directory).mail_server()  # who only reads the archive needs no password
    monkeypatch.setenv("RASID_TEST_PASSWORD", "hunter2-in-env")
    config = load_config(directory)
    assert config.mail_server().password == "hunter2-in-env"
    assert "hunter2" not in repr(config)
    assert "hunter2" not in str(config.mail_server())
    (directory / "secret").write_text("hunter2-in-file\n")
    path.write_text(path.read_text().replace('password_env = "RASID_TEST_PASSWORD"', 'password_file = "secret"'))
    assert load_config(directory).mail_server().password == "hunter2-in-file"


def test_a_password_in_the_place_of_its_variable_is_not_printed(directory):
    path = directory / "rasid.toml"
    path.write_text(path.read_text().replace("[smtp]", '[smtp]\nuser = "u"\npassword_env = "hunter2!"'))
    with pytest.raises(ConfigError, match="password_env") as error:
        load_config(directory).mail_server()
    assert "hunter2" not in str(error.value)


def test_a_literal_password_in_the_file_is_refused(directory):
    path = directory / "rasid.toml"
    path.write_text(path.read_text().replace("[smtp]", '[smtp]\npassword = "hunter2"'))
    with pytest.raises(ConfigError) as error:
        load_config(directory)
    assert "smtp.password" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_init_writes_files_that_load_and_never_overwrites(tmp_path):
    files = list(write(tmp_path / "new", "desk@example.org"))
    assert [f.name for f in files] == ["rasid.toml", "outlets.toml", "topics.toml"]
    assert load_config(tmp_path / "new").contact == "desk@example.org"
    with pytest.raises(UsageError, match="left as it is"):
        list(write(tmp_path / "new", "other@example.org"))
    assert load_config(tmp_path / "new").contact == "desk@example.org"


def test_an_address_belongs_to_the_outlet_whose_home_page_or_channel_it_is_of(directory):
    entry = '[[outlet]]\nid = "{}"\nname_ar = "أ"\nname_en = "A"\nenabled = false\nhomepage = "{}"\ntelegram = {}\n'
    parts = [
        ("ar", "https://two.example/ar", []), ("en", "https://two.example/en/", []),
        ("army", "https://t.me/Sy_Army", ["Sy_Army"]), ("news", "https://www.one.example", ["@one_news"]),
    ]  # fmt: skip
    (directory / "outlets.toml").write_text("".join(entry.format(*part) for part in parts), encoding="utf-8")
    config = load_config(directory)
    for url, outlet in {
        "https://two.example/ar/1": "ar", "https://two.example/en": "en", "https://two.example/arabs": None,
        "https://one.example/a/1": "news", "https://t.me/sy_army/7": "army", "https://t.me/s/one_news": "news",
        "https://t.me/other_news/7": None, "https://t.me/": None, "https://else.example/": None,
    }.items():  # fmt: skip
        assert (found.id if (found := config.outlet_of(url)) else None) == outlet, url


def test_init_refuses_a_contact_that_is_none_and_leaves_nothing(tmp_path):
    with pytest.raises(ConfigError, match="contact"):
        list(write(tmp_path / "new", 'x"\narchive = "y'))
    assert not list((tmp_path / "new").iterdir())


def test_what_init_comments_out_is_valid_too(tmp_path):
    list(write(tmp_path, "desk@example.org"))
    lines = (tmp_path / "rasid.toml").read_text(encoding="utf-8").splitlines()
    settings = [
        line[2:] if line.startswith(("# [", "# ")) and ("=" in line or "# [" in line) else line for line in lines
    ]
    kept = [line for line in settings if not line.startswith(("To be", "password_file", "Rasid's", "proxy"))]
    (tmp_path / "rasid.toml").write_text(
        "\n".join(kept).replace('password_env = "RASID_SMTP_PASSWORD"', 'password_file = "pw"')
    )
    (tmp_path / "pw").write_text("secret")
    config = load_config(tmp_path)
    assert config.smtp.port == 587
    assert config.alerts[0].on == ("new", "edited", "withdrawn", "restored")


@pytest.mark.parametrize("text", ["", "15", "m", "-1m", "0s", "1 fortnight", "1e9s", "١٥m"])
def test_lengths_of_time_are_read_strictly(text):
    if text == "١٥m":  # Arabic-Indic digits are digits
        assert Duration.read(text) == 900
        return
    with pytest.raises(ValueError, match="length of time"):
        Duration.read(text)


def test_sizes_are_decimal_as_disks_are_sold():
    assert Size.read("2GB") == 2_000_000_000
    assert Size.read("512 KB") == 512_000
