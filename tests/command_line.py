"""The command in this process, where it can be watched and its parts exchanged."""

import sys

from chainrule import cli


def here(monkeypatch, capsys, *arguments):
    """The exit code, what was printed, and the errors."""
    monkeypatch.setattr(sys, "argv", ["chainrule", *map(str, arguments)])
    try:
        code = cli.main()
    except SystemExit as leaving:
        code = leaving.code
    return code, *capsys.readouterr()
