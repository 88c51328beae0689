"""``python -m autogrow`` is the command ``autogrow``."""

import sys

from autogrow.cli.main import main

sys.exit(main())
