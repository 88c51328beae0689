"""``python -m autogrow`` is the command ``autogrow``."""

import sys

from autogrow.cli import main

sys.exit(main())
