"""Freed memory is kept: a fresh process asks the system for its tensors once."""

import subprocess
import sys

import pytest

# Page faults while the same 24 MB are allocated, written and freed twenty times.
COUNT = """
import resource
{before}
import torch
def work():
    for _ in range(20):
        torch.ones(2_000_000).add(1).add(1)
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(before=""):
    code = COUNT.format(before=before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_allocating_again_costs_no_page_faults():
    kept = faults("from autogrow import keep_memory; keep_memory()")
    assert kept < 100
    assert faults() > 10 * max(kept, 10)
