"""The command ``autogrow``, also as ``python -m autogrow``."""

import sys

from autogrow.cli.exit_status import continuing, exit_status
from autogrow.process.fork_client import forked


def main() -> int:
    """Run the command line of this process; it listens for signals before it imports much."""
    status = forked("autogrow", sys.argv[1:])
    if status is not None:
        return status

    def work() -> int | None:
        from autogrow.cli.main import carry_out

        return carry_out(sys.argv[1:])

    return exit_status("autogrow", work, continuing(sys.argv[1:]), last=True)


if __name__ == "__main__":
    sys.exit(main())
