"""Small and read-only file systems, for what happens on a full disk."""

import os
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def small_disk(folder, kib):
    """Put an empty file system of ``kib`` KiB at a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    with _mounted(folder, "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder):
        yield folder


@contextmanager
def read_only(folder):
    """Have a folder on a file system that is read-only, for root too, with what is in it."""
    with _mounted(folder, "--bind", folder, folder):
        _mount("-o", "remount,bind,ro", folder)
        yield folder


def fill(disk, *, leave=0):
    """Leave ``leave`` bytes of a disk, in whole pages; return the file that takes the others."""
    file = disk / "others"
    file.unlink(missing_ok=True)
    free = os.statvfs(disk)
    file.write_bytes(bytes(free.f_bavail * free.f_frsize - leave))
    return file


@contextmanager
def _mounted(folder, *arguments):
    _mount(*arguments)
    try:
        yield
    finally:
        # Lazily: what a failed test left open there must not hide why it failed.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*arguments):
    try:
        done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"needs mount: {error}")
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
