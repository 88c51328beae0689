"""The examples of this chapter's public names run."""

import doctest

import pytest

from autogrow.runs import description
from autogrow.using import loading


@pytest.mark.parametrize("module", [description, loading])
def test_examples_run(module):
    told = doctest.testmod(module)
    assert told.attempted
    assert not told.failed
