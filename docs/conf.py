"""The site: Sphinx with MyST, tutorials that the build runs, no network.

    python -m sphinx -W -b html docs docs/_build/html

Pages of the sources and of the API are written from ledgers and docstrings into
`docs/sources/` and `docs/api/`, the tutorials into `docs/tutorials_made/`; git
ignores all three.
"""

import os
import pathlib
import sys

_DOCS = pathlib.Path(__file__).resolve().parent
_ROOT = _DOCS.parent

# The tutorials start commands in processes of their own.
if (_ROOT / "tfsemae").is_dir():
    sys.path.insert(0, str(_ROOT))
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
sys.path.insert(0, str(_DOCS / "_ext"))
# Read when TensorFlow is imported; small tutorials gain nothing from threads.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import tfsemae  # the path is set above

project = "tfsemae"
author = "the tfsemae authors"
copyright = "the tfsemae authors, Apache License 2.0"
version = release = tfsemae.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
    "api",
    "mathml",
    "sources",
    "benchmarks",  # after the sources, into their folder
]
exclude_patterns = ["_build", "tutorials"]
myst_enable_extensions = ["dollarmath", "fieldlist"]
myst_heading_anchors = 3

default_role = "code"  # docstrings quote code with single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings give shapes and ranges besides
napoleon_use_ivar = True

sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "tutorials_made",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "capture_repr": (),
    "show_memory": False,
    "write_computation_times": False,  # a page with scripts from the network
    "min_reported_time": 3600,  # times of this machine tell a reader nothing
    "image_scrapers": ("matplotlib",),
}

tfsemae_results = str(_ROOT / "results")

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"tfsemae {version}"
html_copy_source = False
html_show_sourcelink = False
