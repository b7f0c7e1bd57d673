"""How Sphinx builds these pages into a site: `make docs`."""

from __future__ import annotations

from importlib.metadata import version as version_of

project = "rlattn"
author = "The rlattn authors"
version = release = version_of("rlattn")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["examples"]
myst_heading_anchors = 3

# A name in single backticks is a link where this site documents it, and code elsewhere.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = "rlattn"
html_copy_source = False
