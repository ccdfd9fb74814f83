"""Shows lines of the library as they stand in its source: a copy beside a derivation would grow stale unnoticed."""

from __future__ import annotations

import ast
import inspect
import textwrap
from functools import reduce
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import chainrule


def lines_of(function: Any) -> str:
    """The signature without its types, and the body without its docstring."""
    source = textwrap.dedent(inspect.getsource(function))
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.FunctionDef) and definition.returns
    said = definition.body[0] if ast.get_docstring(definition) else definition.returns
    signature = inspect.signature(function)
    bare = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    shown = signature.replace(parameters=bare, return_annotation=signature.empty)
    return "\n".join([f"def {definition.name}{shown}:", *source.splitlines()[said.end_lineno :]])


class LibraryLines(SphinxDirective):
    """`{library} Tanh.forward Tanh.backward`: functions by their names below chainrule."""

    required_arguments = 1
    optional_arguments = 9

    def run(self) -> list[nodes.Node]:
        """One block, in the order of the names; above each stretch the file that it is from."""
        shown, before = [], None
        for name in self.arguments:
            function = reduce(getattr, name.split("."), chainrule)
            file = Path(inspect.getsourcefile(function) or "")
            self.env.note_dependency(str(file))
            inside = file.relative_to(Path(chainrule.__file__).parent).as_posix()
            shown.append("" if inside == before else f"# {inside}\n")
            shown.append(lines_of(function) + "\n")
            before = inside
        text = "\n".join(part for part in shown if part).rstrip()
        return [nodes.literal_block(text, text, language="python")]


def setup(app: Any) -> dict[str, Any]:
    """Sphinx calls this."""
    app.add_directive("library", LibraryLines)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
