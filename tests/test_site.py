"""The site is built, needs no network and shows what it promises."""

import pathlib
import re
import shutil

import pytest

_ROOT = pathlib.Path(__file__).parents[1]
_GENERATED = ("_build", "api", "sources", "tutorials_made")


@pytest.fixture(scope="module")
def site(run_python, tmp_path_factory):
    """The site, built from a copy: a build writes pages beside the sources."""
    folder = tmp_path_factory.mktemp("site")
    ignored = shutil.ignore_patterns(*_GENERATED)
    shutil.copytree(_ROOT / "docs", folder / "docs", ignore=ignored)
    ended = run_python(
        *("-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"),
        *("-D", f"tfsemae_results={_ROOT / 'results'}"),
        *(folder / "docs", folder / "html"),
    )
    assert ended.status == 0, "\n".join(ended.messages)
    return folder / "html"


def test_site_needs_no_network(site):
    pages = list(site.rglob("*.html"))
    assert pages
    for page in pages:
        text = page.read_text("utf-8")
        assert not re.search(r"<(script|img|iframe)[^>]+src=\"(https?:)?//", text), page
        assert not re.search(r"<link[^>]+stylesheet[^>]+href=\"https?:", text), page


def test_site_has_a_page_for_each_source_with_results(site):
    ledgers = _ROOT.glob("results/*/ledger.json")
    sources = {path.parent.name.partition("_")[0] for path in ledgers}
    pages = {path.stem for path in site.glob("sources/*.html")}
    assert pages == sources | {"benchmarks"}


def test_tutorials_have_run_and_show_figures(site):
    tutorials = [path.stem for path in _ROOT.glob("docs/tutorials/plot_*.py")]
    assert tutorials
    for name in tutorials:
        page = (site / f"tutorials_made/{name}.html").read_text("utf-8")
        assert f"sphx_glr_{name}_001" in page
        assert "<math" in page  # formulas need no script
