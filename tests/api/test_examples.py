"""Every public name has a numpy docstring with an example, and the examples are true."""

import doctest
import subprocess
import sys

import pytest

import autogrow

NAMES = [name for name in autogrow.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_public_name_runs(name):
    public = getattr(autogrow, name)
    [found, *_] = doctest.DocTestFinder(recurse=False).find(public, name, globs={})
    assert found.examples, f"{name} has no example"
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    told = []
    runner.run(found, out=told.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(told)


def test_all_public_names_are_listed_and_no_others_are_there():
    assert dir(autogrow) == sorted(autogrow.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'grown'"):
        autogrow.grown  # noqa: B018


def test_importing_the_package_imports_neither_torch_nor_numpy():
    code = "import sys, autogrow; print({'torch', 'numpy', 'pydantic'} & {*sys.modules})"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"
