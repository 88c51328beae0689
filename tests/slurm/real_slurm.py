"""A real Slurm on this machine's loopback: its own munged, slurmctld and slurmd.

The node has two cores' worth of work done for it in truth, but is said to be large, with
four GPUs that are device files of another kind: what jobs ask for is checked, not used.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

ETC = Path("/etc/slurm")
"""The only place: jobs lose SLURM_CONF on their way."""
MARK = "# Written by autogrow's tests, which may overwrite it."
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "setpriv")
FAKE_GPUS = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random")

SLURM_CONF = """{mark}
ClusterName=autogrow
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
GresTypes=gpu
MinJobAge=300
KillWait=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
NodeName=localhost NodeAddr=127.0.0.1 CPUs=64 RealMemory=512000 Gres=gpu:fake:{gpus} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
GRES_CONF = "{mark}\nName=gpu Type=fake File={files}\n"


def why_not() -> str | None:
    """Say why no Slurm can be started here; None if it can."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        packages = "slurmctld slurmd slurm-client munge"
        return f"Slurm is not installed ({', '.join(missing)} missing): apt-get install {packages}"
    if os.geteuid() != 0:
        return "only root can start Slurm's daemons"
    for file in (ETC / "slurm.conf", ETC / "gres.conf"):
        if file.exists() and not file.read_text().startswith(MARK):
            return f"{file} is there: a real cluster's, which is left alone"
    return None


class RealSlurm:
    """The daemons, and Slurm's commands.

    Parameters
    ----------
    folder
        For state, logs and sockets; everybody must be able to enter it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemons: list[subprocess.Popen] = []

    def start(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o600)
        ETC.mkdir(exist_ok=True)
        given = {"mark": MARK, "folder": self.folder, "gpus": len(FAKE_GPUS), "ports": _ports(2)}
        (ETC / "slurm.conf").write_text(SLURM_CONF.format(**given))
        (ETC / "gres.conf").write_text(GRES_CONF.format(mark=MARK, files=",".join(FAKE_GPUS)))
        places = {"key-file": "key", "socket": "socket", "pid-file": "pid"}
        places |= {"log-file": "log", "seed-file": "seed"}
        self._daemon("munged", "-F", *(f"--{k}={self.folder}/munge.{v}" for k, v in places.items()))
        wait_for(lambda: (self.folder / "munge.socket").exists(), "munged's socket")
        self._daemon("slurmctld", "-D")
        self._daemon("slurmd", "-D", "-N", "localhost")
        wait_for(lambda: self.command("sinfo -h -o %T", check=False) == "idle", "an idle node")

    def stop(self) -> None:
        """End all jobs, then these daemons and no others."""
        with contextlib.suppress(subprocess.CalledProcessError, AssertionError):
            self.command("scontrol update nodename=localhost state=resume", check=False)
            self.command("scancel --user=root")
            wait_for(lambda: not self.jobs(), "the end of all jobs")
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for name in ("slurm.conf", "gres.conf"):
            (ETC / name).unlink(missing_ok=True)

    def _daemon(self, *command: str) -> None:
        # --pdeathsig: the daemons end with the tests, however those end.
        log = (self.folder / f"{command[0]}.out").open("wb")
        self._daemons.append(
            subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        )

    def command(self, text: str, check: bool = True) -> str:
        """Return what one of Slurm's commands prints."""
        done = subprocess.run(text.split(), capture_output=True, text=True, timeout=60)
        if check:
            assert done.returncode == 0, f"{text}: {done.stderr}"
        return done.stdout.strip()

    def jobs(self, states: str = "pending,running,completing") -> dict[str, str]:
        """Return the state of each job that is there, by its number."""
        lines = self.command(f"squeue -h -t {states} -o %i|%T").split()
        return dict(line.split("|") for line in lines)

    def job(self, number: str) -> dict[str, str]:
        """Return what ``scontrol show job`` tells of a job."""
        text = self.command(f"scontrol -o show job {number}")
        return dict(re.findall(r"(\w[\w/:]*)=(.*?)(?= \w[\w/:]*=|$)", text))

    def every_job(self) -> list[dict[str, str]]:
        """Return what Slurm still knows of all jobs, those that ended too."""
        return [self.job(number) for number in self.jobs("all")]


def wait_for(happened, what: str, seconds: float = 300, step: float = 0.1):
    """Return the first true value of ``happened()``."""
    end = time.monotonic() + seconds
    while not (value := happened()):
        assert time.monotonic() < end, f"waited {seconds:g} s for {what}"
        time.sleep(step)
    return value


def _ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
