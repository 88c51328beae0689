"""The project's own files agree with each other."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from importlib.metadata import packages_distributions, version
from pathlib import Path

import yaml

import autogrow

ROOT = Path(__file__).resolve().parents[2]


def test_a_plain_call_of_pytest_can_collect_all_tests():
    """Each file's name is its module's, and a conftest belongs to its folder alone."""
    files = [file for file in (ROOT / "tests").rglob("*.py") if file.name != "conftest.py"]
    names = Counter(file.name for file in files if "plugin_package" not in file.parts)
    assert [name for name, count in names.items() if count > 1] == []
    assert [
        file for file in files if re.search("^from conftest import", file.read_text(), re.M)
    ] == []


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def requirements(project):
    """All packages that a clone needs: the package's own, the suite's and those of the tests."""
    extras = project["optional-dependencies"].values()
    return [*project["dependencies"], *(name for extra in extras for name in extra)]


def test_environment_yml_has_the_packages_of_pyproject():
    project = pyproject()
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    [pip] = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    assert {*pip} == {*requirements(project), "-e ."}
    assert f"python{project['requires-python']}" in environment["dependencies"]


def locked():
    """Each package of the lock file with its line and hashes."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip())
    return {entry.partition("==")[0].lower(): entry for entry in entries}


def test_the_lock_file_pins_every_package_of_pyproject():
    project = pyproject()
    for requirement in requirements(project):
        assert re.split(r"[<>=\[]", requirement)[0].lower() in locked()


def test_every_locked_version_has_hashes_and_no_address():
    for name, entry in locked().items():
        assert re.match(rf"{re.escape(name)}==[^ ]+ ", entry, re.IGNORECASE), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), name
        assert "://" not in entry


def test_what_is_installed_is_what_is_locked():
    for name in ("torch", "snakemake", "numpy", "safetensors", "psutil", "setuptools"):
        assert locked()[name].startswith(f"{name}=={version(name).partition('+')[0]} "), name


def test_the_package_names_its_version_once():
    assert autogrow.__version__ == pyproject()["version"]


def test_snakemake_lint_is_clean():
    command = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_source_file_is_longer_than_it_should_be():
    files = [*ROOT.glob("autogrow/**/*.py"), *ROOT.glob("analysis/**/*.py")]
    long = [f.name for f in files if len(f.read_text().splitlines()) > 400]
    assert long == []


def imported(folder):
    """The packages that the modules of a folder import, wherever in a module."""
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield node.module.partition(".")[0]


def test_the_package_imports_what_it_depends_on_and_nothing_of_the_suite():
    provided = packages_distributions()
    extras = pyproject()["optional-dependencies"]
    own = [name for extra in ("onnx", "tensorboard", "timm") for name in extras[extra]]
    needs = [*pyproject()["dependencies"], *own]
    needed = {re.split(r"[<>=\[]", name)[0].lower() for name in needs}
    foreign = {*imported(ROOT / "autogrow")} - {*sys.stdlib_module_names, "autogrow"}
    used = {name.lower() for package in foreign for name in provided[package]}
    assert used <= needed
