"""Ctrl-C inside a run of this process, at an epoch that a test chooses."""

from contextlib import contextmanager

import pytest

from autogrow.training.reporter import Reporter


@contextmanager
def interrupted_after(count, but=()):
    """Raise KeyboardInterrupt once this many epochs, but those of some phases, were reported."""
    report, seen = Reporter.epoch, []

    def epoch(self, number, expected, phase, *arguments):
        report(self, number, expected, phase, *arguments)
        if phase not in but:
            seen.append(number)
            if len(seen) == count:
                raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Reporter, "epoch", epoch)
        yield
