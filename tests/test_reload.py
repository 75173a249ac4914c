"""`rasid run` under a supervisor: what systemd and monitoring are told, SIGHUP, and no secret anywhere."""

import signal
import socket
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

from click.testing import CliRunner

from archive.alerts.channels import installed
from crawler.cli import main
from tests.program import Running, environment, rasid
from tests.servers import Site
from tests.service_kit import configure, free_port, publish, rows, text, until
from tests.test_health import read_metrics

PASSWORD, PROXY, TOKEN = "Pa55-of-the-mail", "Pa55-of-the-proxy", "T0ken-of-the-channel"


@contextmanager
def supervised(directory, **more):
    """`rasid run`, and what it says to whoever supervises it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(directory / "notify"))
        ear.settimeout(30)
        told = environment(NOTIFY_SOCKET=str(directory / "notify"), WATCHDOG_USEC="20000000", **more)
        process = Running("run", "--config", directory, out=directory / "service.log", given=told)
        try:
            yield process, ear
        finally:
            process.kill()
            process.wait(20)


def heard(ear, *wanted):
    """Listen until all of `wanted` was said; gives the message that said the last of it."""
    wanted, message = set(wanted), ""
    while wanted:
        message = ear.recv(4096).decode()
        wanted -= {line for line in wanted if any(said.startswith(line) for said in message.splitlines())}
    return message


def shown(port, page):
    try:
        with urlopen(f"http://127.0.0.1:{port}/{page}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def rewrite(path, old, new):
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new), encoding="utf-8")


def test_what_is_told_reloaded_refused_and_kept_secret(tmp_path):
    port = free_port()
    home = tmp_path / "desk"
    home.mkdir()
    with Site() as site, socket.create_server(("127.0.0.1", 0)) as mail:
        configure(home, site, mail.getsockname()[1], every="1s")
        publish(site, 1)
        file = home / "rasid.toml"
        rewrite(file, "[smtp]", f'[service]\nlisten = "127.0.0.1:{port}"\nlog = "json"\n[smtp]')
        with supervised(home) as (process, ear):
            assert "STATUS=watching 1 outlets" in heard(ear, "READY=1")
            heard(ear, "WATCHDOG=1")
            until(lambda: rows(home, "select count(*) from latest") == [(1,)], what="the first article")
            ok = ("rasid_outlet_state", 'outlet="local",state="ok"')
            until(lambda: ok in read_metrics(shown(port, "metrics")[1]), what="word of a look")
            assert shown(port, "healthz")[0] == 200
            samples = read_metrics(shown(port, "metrics")[1])
            assert samples["rasid_job_runs_total", 'job="tick"'] >= 1
            assert shown(port, "other")[0] == 404
            modes = {path: path.stat().st_mode & 0o077 for path in home.rglob("*") if "archive" in path.name}
            assert (len(modes) >= 2, set(modes.values())) == (True, {0})

            # An outlet more, and the mail server by another password.
            outlets = home / "outlets.toml"
            entry = outlets.read_text(encoding="utf-8")
            second = entry.replace('"local"', '"second"').replace("/feed", "/second").replace('"Local"', '"Second"')
            site.feed("/second", [site.article("/news/2.html", "قسد ومعتقلو داعش", text(2))])
            outlets.write_text(entry + second, encoding="utf-8")
            process.send_signal(signal.SIGHUP)
            heard(ear, "RELOADING=1", "MONOTONIC_USEC=", "READY=1")
            until(lambda: rows(home, "select count(*) from latest") == [(2,)], what="what the new outlet has")

            # A mistake: the old configuration goes on, and all are told.
            rewrite(file, "delay =", "delya =")
            status = rasid("status", "--config", home)
            assert "did you mean 'delay'" in status.stdout
            assert f"It is not in force: process {process.pid} goes on" in status.stdout
            process.send_signal(signal.SIGHUP)
            heard(ear, "RELOADING=1", "READY=1")
            notice = "select text from notices where key = 'configuration' and cleared_at is null"
            (sentence,) = until(lambda: rows(home, notice), what="word of the mistake")[0]
            assert "stays in force" in sentence
            assert "rasid.toml: crawl" in sentence
            assert shown(port, "healthz") == (503, f"{sentence}\n")
            publish(site, 1, 3)
            until(lambda: rows(home, "select count(*) from latest") == [(3,)], what="an article all the same")

            # What only a new start can change.
            rewrite(file, "delya =", "delay =")
            file.write_text('archive = "other.db"\n' + file.read_text())
            process.send_signal(signal.SIGHUP)
            until(lambda: "archive: cannot change while" in rows(home, notice)[0][0], what="the refusal")
            rewrite(file, 'archive = "other.db"\n', "")
            process.send_signal(signal.SIGHUP)
            until(lambda: not rows(home, notice), what="the end of it")
            process.send_signal(signal.SIGTERM)
            heard(ear, "STOPPING=1")
            assert process.wait(20) == 0
    log = (home / "service.log").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("{") and line.endswith("}") for line in log)
    assert [line for line in log if '"event": "crawl"' in line]
    assert not [line for line in log if "معتقلي" in line]


def test_no_secret_is_in_status_logs_errors_or_the_archive(tmp_path):
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    def refuse(server, session, envelope, mechanism, data):
        return AuthResult(success=False, handled=False, message=f"535 no such {data.password.decode()}")

    mail = Controller(object(), hostname="127.0.0.1", port=free_port(), authenticator=refuse, auth_require_tls=False,
                      auth_required=True)  # fmt: skip
    mail.start()
    try:
        with Site() as site:
            configure(tmp_path, site, mail.port, every="1s")
            file = tmp_path / "rasid.toml"
            rewrite(file, 'security = "none"', 'security = "none"\nuser = "rasid"\npassword_env = "MAIL_SECRET"')
            rewrite(file, "delay =", f'proxy = "http://rasid:{PROXY}@127.0.0.1:9"\ndelay =')
            by = {"email"} | ({"apprise"} if installed() else set())
            operator = '[[alert]]\nname = "ops"\nkind = "operator"\nto = ["admin@example.org"]\n'
            channel = 'channels = ["desk"]\n[channel.desk]\nurl_env = "CHANNEL_SECRET"\n' if installed() else ""
            file.write_text(f"{file.read_text()}{operator}{channel}")
            secrets = {"MAIL_SECRET": PASSWORD, "CHANNEL_SECRET": f"json://rasid:{TOKEN}@127.0.0.1:9/"}
            with supervised(tmp_path, **secrets) as (process, ear):
                heard(ear, "READY=1")
                until(lambda: rows(tmp_path, "select 1 from fetches where outcome <> 'ok'"), what="a failed visit")
                rewrite(file, "delay =", "delya =")
                process.send_signal(signal.SIGHUP)
                tried = "select channel from mails where error is not null"
                until(lambda: {row[0] for row in rows(tmp_path, tried)} == by, what="the refusals")
                rewrite(file, "delya =", "delay =")
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0
    finally:
        mail.stop()
    said = CliRunner().invoke(main, ["status", "--json", "--config", str(tmp_path)], env=secrets).stdout_bytes
    assert b"configuration" in said
    places = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != file}
    places["status"] = said
    assert {"archive.db", "service.log"} <= places.keys()
    for secret in (PASSWORD, PROXY, TOKEN):
        assert not [name for name, content in places.items() if secret.encode() in content]
