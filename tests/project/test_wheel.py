"""The wheel: what a user installs, without a clone."""

import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

OUTSIDE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        suite = ("adjustText", "jinja2", "matplotlib", "pandas", "snakemake")
        if name in (*suite, "analysis", "benchmarks"):
            raise ImportError(f"{name} is not installed with the wheel")

sys.meta_path.insert(0, Missing())
from autogrow.cli.main import main
import autogrow
print(autogrow.__file__)
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for part in ("autogrow", "analysis", "benchmarks"):
        shutil.copytree(ROOT / part, source / part, ignore=unwanted)
    for part in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, source)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", folder]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, source], check=True)
    [file] = folder.glob("*.whl")
    return file


def test_the_wheel_holds_the_package_alone_and_its_licence(wheel):
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        [metadata] = [name for name in names if name.endswith(".dist-info/METADATA")]
        about = Parser().parsestr(content.read(metadata).decode())
        entry = content.read(metadata.replace("METADATA", "entry_points.txt")).decode()
    info = metadata.partition("/")[0]
    assert {name.partition("/")[0] for name in names} == {"autogrow", info}
    modules = {str(file.relative_to(ROOT)) for file in (ROOT / "autogrow").rglob("*.py")}
    assert {name for name in names if name.startswith("autogrow/")} == {
        *modules,
        "autogrow/py.typed",
    }
    assert about["License-Expression"] == "Apache-2.0"
    assert about["License-File"] == "LICENSE"
    assert f"{info}/licenses/LICENSE" in names
    assert "autogrow = autogrow.__main__:main" in entry


def test_the_command_works_outside_the_clone_and_without_the_suite(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as content:
        content.extractall(tmp_path / "site")
    options = ["--data", "digits", "--data-fraction", "0.1", "--width", "2", "--epochs", "1"]
    command = ["train", "--network", "Basic3ResNet-1-1-1", *options, "--out", "run", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", OUTSIDE, *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[0]).is_relative_to(tmp_path / "site")
    assert (tmp_path / "run" / "summary.json").is_file()
