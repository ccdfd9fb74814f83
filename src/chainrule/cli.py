"""The front door of the command line: every error that is somebody's mistake becomes a message and an exit code.

0 all went well; 1 it did not; 2 an option or file name makes no sense; 128 + n stopped by signal n (130: Ctrl-C).
"""

from __future__ import annotations

import sys
import warnings
from importlib.util import find_spec
from typing import Any

from chainrule.errors import ChainruleError, ConfigurationError, MissingExtraError


def main() -> int:
    """Run the command that sys.argv names; the exit code."""
    missing = [package for package in ("typer", "rich", "matplotlib") if find_spec(package) is None]
    if missing:
        print(MissingExtraError("The command line", " and ".join(missing), "cli"), file=sys.stderr)
        return 1
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a folder's name may not fit the terminal's encoding
    from chainrule.commands import app

    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            app(prog_name="chainrule")
    except ConfigurationError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (ChainruleError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except MemoryError as error:
        print(f"error: not enough memory ({error}).", file=sys.stderr)
        return 1
    return 0


def _warn(message: Warning | str, *where: Any, **more: Any) -> None:
    print(f"warning: {message}", file=sys.stderr)
