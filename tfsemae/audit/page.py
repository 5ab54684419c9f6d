"""The page of an audit, and its drawings."""

import math
import pathlib
from collections.abc import Sequence
from typing import Any

from tfsemae import files
from tfsemae.audit import damage
from tfsemae.audit.damage import Damage
from tfsemae.audit.report import Estimate, Point, Report
from tfsemae.reports import figures, numerals, page, pictures
from tfsemae.reports.ledger import Picture

FILE_NAME = "index.html"
#: Attack -> its name on the page.
ATTACKS = {
    "noise": "random noise",
    "singular_step": "one singular step",
    "pgd": "PGD, 10 steps",
    "strong": "strong attack",
    "query_only": "query-only attack",
}
CAPTIONS = {
    "curves_latent.png": "Damage by perturbations of the latent. The bands are 95 % "
    "bootstrap intervals over images; the query-only attack is of the first images.",
    "curves_input.png": "Damage by perturbations of the image. The bands are 95 % "
    "bootstrap intervals over images; the query-only attack is of the first images.",
    "nearest_latent.png": "The ten images whose latents need the least perturbation. "
    "Attacked: what the decoder makes of the perturbed latent.",
    "nearest_input.png": "The ten images that need the least perturbation.",
}


def draw_curves(
    points: Sequence[Point], damage_: Damage, folder: pathlib.Path
) -> list[str]:
    """Writes `curves_<space>.png`, the damage and the mean squared error.

    Returns:
        Names of the pictures.
    """
    metrics = ["mse"] if damage_.name == "mse" else [damage_.name, "mse"]
    names = []
    for space in dict.fromkeys(point.space for point in points):
        panels = [_panel(points, space, metric, damage_) for metric in metrics]
        name = f"curves_{space}.png"
        figures.curves(panels, folder / name)
        names.append(name)
    return names


def _panel(
    points: Sequence[Point], space: str, metric: str, damage_: Damage
) -> figures.Panel:
    curves = []
    for attack, label in ATTACKS.items():
        own = sorted(
            (p for p in points if p.space == space and p.attack == attack),
            key=lambda point: point.radius,
        )
        ends = [point.measures[metric] for point in own]
        if not ends or any(end.value is None for end in ends):
            continue
        band = ([_or(e.low, e) for e in ends], [_or(e.high, e) for e in ends])
        curves.append(
            figures.Curve(
                label=label,
                x=[point.deviations for point in own],
                y=[_or(end.value, end) for end in ends],
                band=band,
            )
        )
    stated = [(damage_.sentence, damage_.threshold)] if metric == damage_.name else []
    return figures.Panel(
        x_label="L2 norm, in standard deviations",
        y_label=damage.label(metric),
        curves=curves,
        levels=stated,
        logarithmic=True,
    )


def _or(value: float | None, estimate: Estimate) -> float:
    found = estimate.value if value is None else value
    assert found is not None  # the caller has looked
    return found


def write(report: Report, folder: pathlib.Path) -> None:
    """Writes `index.html`, which needs no other file."""
    embedded = {
        name: pictures.embed(folder, Picture(file=name, caption=CAPTIONS[name]))
        for name in report.pictures
    }
    _render("audit.html.j2", folder, report=report, figures_of=embedded)


def write_comparison(comparison: Any, folder: pathlib.Path) -> None:
    """Writes the page of several audits side by side."""
    pairs_of = list(zip(comparison.models, comparison.paired, strict=True))
    _render(
        "audit_comparison.html.j2", folder, comparison=comparison, pairs_of=pairs_of
    )


def _render(template: str, folder: pathlib.Path, **context: Any) -> None:
    environment = page.templates()
    environment.filters["estimate"] = estimate_text
    html = environment.get_template(template).render(
        attacks=ATTACKS, label=damage.label, **context
    )
    files.write_text(folder / FILE_NAME, html)


def estimate_text(estimate: Estimate, unit: str = "") -> str:
    """`0.31 [0.28, 0.33] dB`, or what there is."""
    if estimate.value is None:
        text = "not reached"
        if estimate.low is not None:
            text = f"above {_short(estimate.low)}"
        return text
    text = _short(estimate.value)
    if estimate.low is not None:
        high = "…" if estimate.high is None else _short(estimate.high)
        text += f" [{_short(estimate.low)}, {high}]"
    return f"{text} {unit}".strip()


def _short(value: float) -> str:
    """Three significant digits."""
    if value and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}".replace("-", numerals.MINUS)
    # Of the rounded value: 0.9996 is 1.00.
    exponent = math.floor(math.log10(abs(float(f"{value:.2e}")))) if value else 0
    return numerals.fixed(value, max(0, 2 - exponent))
