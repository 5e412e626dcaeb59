"""`python -m spanwise_collector.cli`, for where the `spanwise` script is not on the path."""

import sys

from spanwise_collector.cli.commands import main

sys.exit(main())
