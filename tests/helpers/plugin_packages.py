"""Packages that add plug-ins, really installed: into an environment of their own, or in-process."""

import shutil
import subprocess
import sys
import sysconfig
import venv
from contextlib import contextmanager
from pathlib import Path

import pytest

from autogrow.config.logger_names import LOGGERS
from autogrow.data.plugin import DATA
from autogrow.growth.registry import POLICIES
from autogrow.networks.initializer_names import INITIALIZERS
from autogrow.networks.names import NETWORKS

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "tests/helpers/plugin_package"
REGISTRIES = (POLICIES, INITIALIZERS, NETWORKS, DATA, LOGGERS)
PIP = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]


def environment(folder):
    """Make a virtual environment with the packages of this one; return its python."""
    venv.create(folder, with_pip=False)
    python = folder / "bin/python"
    ask = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    told = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    shared = [str(ROOT), sysconfig.get_paths()["purelib"]]
    (Path(told.stdout.strip()) / "shared.pth").write_text("\n".join(shared) + "\n")
    script = folder / "bin/autogrow"
    script.write_text(
        f"#!{python}\nimport sys\nfrom autogrow.__main__ import main\nsys.exit(main())\n"
    )
    script.chmod(0o755)
    return python


def install(python, source, work):
    """Install the package of a folder, which stays as it is, into a python's environment."""
    copy = work / "source" / source.name
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--python", python]
    subprocess.run([*pip, *PIP, copy], check=True)


@contextmanager
def installed_here(source, work):
    """Install the package of a folder for this process, for as long as the context lasts."""
    target = work / "site"
    copy = work / "source" / source.name
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip"]
    subprocess.run([*pip, *PIP, "--target", target, copy], check=True)
    with visible(target, "example_plugins"):
        yield


@contextmanager
def visible(site, package):
    """Let this process find what is installed in a folder, for as long as the context lasts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        _forget()
        try:
            yield
        finally:
            for name in [n for n in sys.modules if n.partition(".")[0] == package]:
                del sys.modules[name]
    _forget()


def _forget():
    """Let registries look again which packages are installed."""
    for registry in REGISTRIES:
        registry.__dict__.pop("_added", None)
