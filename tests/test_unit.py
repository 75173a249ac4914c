"""docs/install/rasid.service under a systemd of its own: PID 1 of new namespaces, over a copy of / that goes with them.

Run by `make test-unit`, as root. Its bounds of memory are not tried: the machine may have given those to others.
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.program import ROOT
from tests.servers import Site
from tests.service_kit import configure, publish, rows, until

HERE = f"""StandardOutput=append:/opt/out/told
Environment=PYTHONPATH=/opt/rasid:/opt/site LD_LIBRARY_PATH=/opt/python/lib PYTHONDONTWRITEBYTECODE=1
ExecStart=/opt/python/bin/{Path(sys.executable).resolve().name}"""
UNITS = dict.fromkeys(("sysinit.target", "basic.target", "shutdown.target"), "[Unit]\nDefaultDependencies=no\n") | {
    "rasid.service": (ROOT / "docs/install/rasid.service").read_text(encoding="utf-8"),
    "rasid.service.d/here.conf": "[Service]\nRestartSec=1\nWatchdogSec=5\nExecStart=\n"
    f"{HERE} -m crawler run --config /etc/rasid\n",
    "proof.service": "[Unit]\nSuccessAction=exit-force\nFailureAction=exit-force\n[Service]\nType=oneshot\n"
    f'{HERE} -c "from tests.test_unit import prove; prove()"\n',
}
OUTSIDE = """at=$(findmnt -nfo TARGET -t cgroup2) || exit
group=$at$(sed -n s/^0:://p /proc/self/cgroup)/rasid-$$; mkdir "$group" || exit; export group
timeout -k 5 100 sh -ec 'echo $$ > "$group/cgroup.procs"
  exec unshare -fmuipnC --propagation private --kill-child sh -ec "$@"' in "$@"
ended=$?; until find "$group" -depth -type d -exec rmdir {} +; do sleep 1; done; exit $ended"""
INSIDE = """mount -t tmpfs tmpfs /mnt; cd /mnt; mkdir up work root
mount -t overlay -o lowerdir=/,upperdir=up,workdir=work overlay root; cd root
for name in out rasid python site; do mkdir -p opt/$name; mount --bind "$1" opt/$name; shift; done
mount -o remount,bind,ro opt/rasid; mount -t proc proc proc; mount -o bind,ro proc/sys proc/sys
mount -t sysfs sysfs sys; mount -t cgroup2 cgroup2 sys/fs/cgroup; mount -t tmpfs tmpfs dev; ln -s pts/ptmx dev/ptmx
for name in null zero full random urandom tty; do touch dev/$name; mount --bind /dev/$name dev/$name; done
pivot_root . mnt; umount -l /mnt; exec env -i PATH="$PATH" container=test SYSTEMD_UNIT_PATH=/opt/out/units \\
  /lib/systemd/systemd --system --unit=proof.service --log-target=null --show-status=0"""


@pytest.mark.unit
def test_the_unit_under_systemd(tmp_path):
    for name, told in UNITS.items():
        (file := tmp_path / "units" / name).parent.mkdir(parents=True, exist_ok=True)
        file.write_text(told, encoding="utf-8")
    places = map(str, (tmp_path, ROOT, sys.base_prefix, sysconfig.get_path("purelib")))
    command = ["sh", "-c", OUTSIDE, "out", INSIDE, "boot", *places]
    ended = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    if not (tmp_path / "told").exists():
        pytest.skip(f"systemd cannot be started here, which takes root, namespaces and cgroup2: {ended.stderr}")
    assert ended.returncode == 0, (tmp_path / "told").read_text(encoding="utf-8")


def systemctl(*words):
    return subprocess.run(["systemctl", *words], check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout


def prove():
    """Inside, what an operator does and sees."""
    home, state = Path("/etc/rasid"), Path("/var/lib/rasid")
    subprocess.run(["useradd", "--system", "--home-dir", state, "rasid"], check=True)
    home.mkdir()
    with Site() as site:
        file = configure(home, site, 9) / "rasid.toml"
        file.write_text(good := f'archive = "{state}/archive.db"\n{file.read_text()}')
        systemctl("start", "rasid")  # comes back when it is ready
        process = systemctl("show", "rasid", "-pMainPID", "--value").strip()
        status = Path(f"/proc/{process}/status").read_text().splitlines()
        assert {"NoNewPrivs:\t1", "Seccomp:\t2", f"CapBnd:\t{0:016}", "Umask:\t0077"} <= set(status)
        for place, refused in {"/etc": 1, "/usr": 1, "/opt": 1, "/root": 1, "/var/lib": 1, state: 0}.items():
            assert subprocess.call(["nsenter", "-m", "-t", process, "test", "-w", place]) == refused, place
        file.write_text(good.replace('every = "2s"', 'every = "soon"'))
        systemctl("reload", "rasid")
        until(lambda: "is not taken" in systemctl("show", "rasid", "-pStatusText"), what="word of the mistake")
        file.write_text(good)
        for times, deed in enumerate(("KILL", "STOP"), 1):  # the second is the watchdog's to find
            systemctl("kill", "--kill-who=main", f"--signal={deed}", "rasid")
            again = [f"NRestarts={times}", "SubState=running"]
            until(lambda n=again: systemctl("show", "rasid", "-pNRestarts", "-pSubState").split() == n, what=deed)
        publish(site, 1)
        until(lambda: rows(state, "select count(*) from latest") == [(1,)], what="an article")
        assert not any(path.stat().st_mode & 0o077 for path in (state, *state.rglob("*")))
        systemctl("stop", "rasid")
        assert systemctl("show", "rasid", "-pResult") == "Result=success\n"
