"""Tests of data sets see none of the machine's own."""

import pytest


@pytest.fixture(autouse=True)
def only_made_data(isolated_places):
    """No test here sees the machine's own data unless it asks for it."""
