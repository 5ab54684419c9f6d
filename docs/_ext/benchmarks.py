"""A page of benchmarks, made of `results/benchmarks/*.json`."""

import json
import pathlib
from collections.abc import Iterator

from sphinx.application import Sphinx

from tfsemae.reports import numerals

_HEADS = ("threads", "ours", "peer", "", "ratio", "outcome (ours, peer)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Writes the page before Sphinx reads."""
    app.connect("builder-inited", _write_page)
    return {"parallel_read_safe": True}


def _write_page(app: Sphinx) -> None:
    results = pathlib.Path(app.config.tfsemae_results)
    folder = pathlib.Path(app.srcdir, "sources")
    parts = [
        "# Benchmarks",
        "A ratio above 1 means that tfsemae is faster. The outcome shows that both did "
        "the same work: a loss after the same steps, for example.",
    ]
    for path in sorted(results.glob("benchmarks/*.json")):
        parts += _benchmark(json.loads(path.read_text("utf-8")))
    (folder / "benchmarks.md").write_text("\n\n".join(parts) + "\n", "utf-8")


def _benchmark(found: dict) -> Iterator[str]:
    machine = ", ".join(f"{key} {value}" for key, value in found["machine"].items())
    versions = ", ".join(f"{key} {value}" for key, value in found["versions"].items())
    yield f"## `{found['name']}`"
    yield f"```bash\n{found['command']}\n```"
    yield f"Measured with {machine}; {versions}."
    for name in dict.fromkeys(case["case"] for case in found["cases"]):
        cases = [case for case in found["cases"] if case["case"] == name]
        yield f"### {name[0].upper()}{name[1:]}, in {cases[0]['unit']}"
        rows = [_HEADS, ["---"] * len(_HEADS), *map(_row, cases)]
        yield "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(case: dict) -> tuple[str, ...]:
    ours, peer = (numerals.fixed(case[key], 0) for key in ("ours", "peer"))
    outcomes = [case.get(f"outcome_{who}") for who in ("ours", "peer")]
    outcome = ", ".join(f"{each:.6g}" for each in outcomes if each is not None)
    ratio = f"{case['ratio']:.2f}"
    return str(case["threads"]), ours, peer, case["peer_name"], ratio, outcome
