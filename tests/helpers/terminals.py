"""Commands under a real pseudo-terminal."""

import fcntl
import os
import pty
import re
import struct
import termios
from types import SimpleNamespace


def under_a_terminal(command, *, columns=120, rows=30, interrupt_at=None, cwd=None):
    """Run a command; return its exit status and each state that its last line had.

    Ctrl-C is typed when ``interrupt_at`` appears.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        if cwd is not None:
            os.chdir(cwd)
        os.environ["TERM"] = "xterm"
        command = [str(word) for word in command]
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    told = ""
    while True:
        try:
            new = os.read(terminal, 65536).decode()
        except OSError:  # Linux's end of a terminal whose last process has ended
            break
        if not new:
            break
        told += new
        if interrupt_at is not None and re.search(interrupt_at, told):
            os.write(terminal, b"\x03")
            interrupt_at = None
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    states = [s for s in re.split(r"\r\x1b\[J|\r\n", re.sub(r"\x1b\[\d+A", "", told)) if s]
    return SimpleNamespace(status=status, told=told, states=states)
