"""A real Slurm for these tests, and Snakemake that submits to it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from clones import clone
from real_slurm import RealSlurm, wait_for, why_not


@pytest.fixture(scope="session")
def slurm():
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="autogrow-slurm-"))
    folder.chmod(0o755)
    cluster = RealSlurm(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder)


def _listen_to_interrupts():
    """Have Ctrl-C again: whoever is started in the background by a shell ignores it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Clone:
    """A fresh clone on the cluster's shared file system, which is this machine's own."""

    def __init__(self, folder, slurm):
        self.folder = clone(folder)
        self.slurm = slurm
        self._started = []

    def start(self, *arguments):
        """Start ``snakemake --cores all --profile slurm`` and leave it running."""
        command = [sys.executable, "-m", "snakemake", "--cores", "all", "--profile", "slurm"]
        # The plugin's 40 seconds would be most of the test's time.
        command += ["--slurm-init-seconds-before-status-checks", "2", *arguments]
        output = self.folder / f"snakemake-{len(self._started)}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdout=file,
                stderr=file,
                start_new_session=True,
                preexec_fn=_listen_to_interrupts,
            )
        process.output = output
        self._started.append(process)
        return process

    def finish(self, process, status=0):
        """Wait until Snakemake ends; return what it printed."""
        process.wait(timeout=600)
        text = process.output.read_text()
        assert process.returncode == status, text + self._slurm_logs()
        return text

    def snakemake(self, *arguments, status=0):
        return self.finish(self.start(*arguments), status)

    def clean(self):
        """End what the test has left: Snakemake, its jobs, and what escaped from those.

        This Slurm follows a job's processes by their parents alone, and loses those whose
        parent was killed first.
        """
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.wait()
        self.slurm.command("scontrol update nodename=localhost state=resume", check=False)
        self.slurm.command("scancel --user=root")
        wait_for(lambda: not self.slurm.jobs(), "the end of all jobs")
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (entry / "cwd").readlink() == self.folder:
                    os.kill(int(entry.name), signal.SIGKILL)

    def change(self, file, old, new):
        path = self.folder / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    def _slurm_logs(self):
        logs = (self.folder / ".snakemake/slurm_logs").rglob("*.log")
        return "".join(f"\n--- {log}\n{log.read_text()}" for log in logs)


@pytest.fixture
def fresh_clone(slurm, tmp_path):
    made = Clone(tmp_path / "clone", slurm)
    yield made
    made.clean()


class Run:
    """The folder of a run that jobs work on."""

    def __init__(self, folder):
        self.folder = folder

    @property
    def epochs(self):
        """Epochs that were trained, those of all jobs together."""
        return self.told.count(": train loss ")

    @property
    def told(self):
        log = self.folder / "log.txt"
        return log.read_text() if log.exists() else ""

    @property
    def done(self):
        return (self.folder / "summary.json").exists()

    @property
    def writer(self):
        """Number of the process that trains here, as the run's lock says; None: nobody does."""
        try:
            return json.loads((self.folder / "lock").read_text())["pid"]
        except FileNotFoundError:
            return None

    def in_the_middle(self):
        """Wait until some epochs are trained; stop the process there, return it and its job."""
        wait_for(lambda: self.epochs >= 3, f"epochs of {self.folder}", step=0.02)
        process = self.writer
        os.kill(process, signal.SIGSTOP)
        assert not self.done, "the run was over too soon to be interrupted"
        given = Path(f"/proc/{process}/environ").read_text().split("\0")
        [job] = (v.removeprefix("SLURM_JOB_ID=") for v in given if v.startswith("SLURM_JOB_ID="))
        return process, job


@pytest.fixture
def run_of():
    return Run
