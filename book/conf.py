"""How Sphinx builds the book: chapters that run, the pages of docs/, the reference from the docstrings. Offline."""

from __future__ import annotations

import sys
from pathlib import Path

BOOK = Path(__file__).parent
sys.path.insert(0, str(BOOK / "extensions"))

import chainrule  # noqa: E402

project = "chainrule"
author = "the chainrule authors"
release = version = chainrule.__version__
copyright = "the chainrule authors, MIT licence"

# The source directory is the checkout, so that chapters, docs/ and README.md link to one another as they do on disk.
root_doc = "book/index"
include_patterns = ["book/**", "docs/**", "benchmarks/README.md", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = [".*", "**/.*", "build", "dist", "runs", "src", "tests", "**/__pycache__"]
extensions = ["sphinx.ext.autodoc", "myst_nb", "docstrings", "library_lines", "mathml"]

# Chapters: every cell runs in every build. A cache would not see that the library has changed.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300  # a cell of chapter 9 trains for half a minute, and the machine may be busy otherwise
nb_output_stderr = "error"  # a warning in a cell fails the build like any other
nb_merge_streams = True
nb_ipywidgets_js = {}  # nothing is fetched by the reader's browser
myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3

# The reference.
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings tell types and shapes in their own words
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 88

html_theme = "furo"
html_title = "chainrule"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_additional_pages = {"index": "to-the-book.html"}
templates_path = ["templates"]
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072b2", "color-brand-content": "#0072b2"},
    "dark_css_variables": {"color-brand-primary": "#56b4e9", "color-brand-content": "#56b4e9"},
}
