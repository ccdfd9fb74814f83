"""Makes `python -m chainrule` mean `chainrule`, also where scripts are not on the path."""

import sys

from chainrule.cli import main

sys.exit(main())
