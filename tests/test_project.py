"""The project's own files agree with each other."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]


def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_environment_yml_has_the_packages_of_pyproject():
    project = pyproject()
    wanted = {*project["dependencies"], *project["optional-dependencies"]["test"]}
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    [pip] = [d["pip"] for d in environment["dependencies"] if isinstance(d, dict)]
    assert {*pip} == {*wanted, "-e ."}
    assert f"python{project['requires-python']}" in environment["dependencies"]


def test_constraints_pin_every_package_of_pyproject():
    project = pyproject()
    pinned = {
        line.partition("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["test"]]:
        assert re.split(r"[<>=\[]", requirement)[0].lower() in pinned


def test_the_package_names_its_version_once():
    import autogrow

    assert autogrow.__version__ == pyproject()["version"]


def test_snakemake_lint_is_clean():
    command = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_source_file_is_longer_than_it_should_be():
    files = [*ROOT.glob("autogrow/**/*.py"), *ROOT.glob("analysis/**/*.py")]
    long = [f.name for f in files if len(f.read_text().splitlines()) > 400]
    assert long == []


def test_analysis_of_tables_never_imports_torch():
    code = "import analysis.tables, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_the_python_example_of_the_readme_runs(tmp_path):
    text = (ROOT / "README.md").read_text()
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(example.strip().splitlines()) <= 15
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\d+-\d+-\d+$", done.stdout, re.MULTILINE)
