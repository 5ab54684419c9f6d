"""Figs. 1 and 2: correlations of features and words, and similarities of classes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tfsemae import data, metrics
from tfsemae.experiments.artefact import Workspace
from tfsemae.experiments.claims import claim, row, whole, with_parts
from tfsemae.experiments.scarl2023 import accuracies, printed, runs
from tfsemae.experiments.scarl2023.features import Features, compare
from tfsemae.reports import figures
from tfsemae.reports.ledger import Claim, Picture, Row
from tfsemae.statistics import Above, Below, Interval, Rule

_CIFAR10 = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
_CAT, _DOG, _TRUCK = 3, 5, 9
_CONDITIONS = {"clean": "natural images", runs.ATTACK: "adversarial images"}
_SEEDS = "lowest to highest of the seeds"
Models = Mapping[str, list[Features]]


def build(work: Workspace) -> Mapping[str, Any]:
    """Makes pictures, rows and claims of `scarl2023_observations`."""
    words, clip = _words(work), _clip(work)
    models = {
        procedure: [
            Features(
                work.folder(runs.features(procedure, "test", seed, work.scale)),
                work.folder(runs.features(procedure, "train", seed, work.scale)),
                words,
            )
            for seed in runs.seeds(work.scale)
        ]
        for procedure in runs.OBSERVED
    }
    first = runs.features("nat", "test", 0, work.scale)
    return {
        "rows": [*_rows(work, models), *_clip_rows(work, words, clip)],
        "claims": [
            *_destroyed(models),
            *_restored(models),
            *_ordered(models),
            *_alike(models),
            *_invariant(models),
        ],
        "pictures": [
            _draw_correlations(work, models),
            _draw_similarities(work, models, clip),
        ],
        "choices": [
            work.choice("per_class", first, "the paper has 500 pairs, not which"),
            work.choice("linf_step", first, "not printed in what was to be had"),
        ],
        "warnings": list(accuracies.warnings(work, runs.observations(work.scale))),
    }


def _words(work: Workspace) -> np.ndarray:
    """The vectors of the classes; of a smoke run without a file random ones."""
    if work.words_file is not None and work.scale != "smoke":
        return data.class_vectors(work.words_file, _CIFAR10)
    if work.scale != "smoke":
        raise ValueError(
            f"{work.artefact.name} compares features with words. Name their file: "
            "--words_file=glove.6B.50d.txt."
        )
    return data.class_codes(np.eye(len(_CIFAR10)), "random")


def _clip(work: Workspace) -> np.ndarray | None:
    """Similarities of the classes by CLIP, centred, if there are embeddings."""
    if work.clip_embeddings is None:
        return None
    return _similarity(data.class_embeddings(work.clip_embeddings, len(_CIFAR10)))


def _clip_rows(
    work: Workspace, words: np.ndarray, clip: np.ndarray | None
) -> Iterator[Row]:
    if clip is None:
        return
    found = compare(clip, words)
    named = "class similarities by CLIP with those of the words, centred"
    for id_, quantity, value in (
        ("clip_similarity", f"rank correlation of {named}", found.correlation),
        ("clip_mantel_p", "p-value of the Mantel test of it", found.p_value),
    ):
        yield row(id_, quantity, [value], tag=work.tag(None))


def _rows(work: Workspace, models: Models) -> Iterator[Row]:
    for procedure, networks in models.items():
        for condition, images in _CONDITIONS.items():
            for id_, quantity, measure in _QUANTITIES:
                values = [measure(network, condition) for network in networks]
                if np.isfinite(values).all():
                    yield row(
                        f"{procedure}_{condition}_{id_}",
                        f"{runs.OBSERVED[procedure]}, {images}: {quantity}",
                        values,
                        tag=work.tag(None),
                    )
        values = [100 * network.robust_accuracy(runs.ATTACK) for network in networks]
        yield row(
            f"{procedure}_accuracy",
            f"{runs.OBSERVED[procedure]}: accuracy under PGD-20 of these images",
            values,
            tag=work.tag(None),
            unit="%",
        )


#: Id, name, and (network, condition) -> value.
_QUANTITIES: tuple[tuple[str, str, Callable[[Features, str], float]], ...] = (
    (
        "heldout",
        "mean canonical correlation, directions of training images",
        lambda network, condition: float(network.heldout(condition).mean()),
    ),
    (
        "transfer",
        "mean correlation along directions of natural training images, signed",
        lambda network, condition: float(network.transfer(condition).mean()),
    ),
    (
        "fitted",
        "mean canonical correlation, fitted to the same images",
        lambda network, condition: float(network.fitted(condition).mean()),
    ),
    (
        "first",
        "greatest canonical correlation, fitted to the same images",
        lambda network, condition: float(network.fitted(condition)[0]),
    ),
    (
        "floor",
        "the same mean with permuted labels",
        lambda network, condition: float(network.floor(condition).mean()),
    ),
    (
        "ridge",
        "mean canonical correlation with a ridge of 0.1",
        lambda network, condition: float(network.ridge(condition).mean()),
    ),
    (
        "similarity",
        "rank correlation of class similarities with those of the words, centred",
        lambda network, condition: network.mantel(condition).correlation,
    ),
    (
        "mantel_p",
        "p-value of the Mantel test of it",
        lambda network, condition: network.mantel(condition).p_value,
    ),
    (
        "similarity_raw",
        "rank correlation of class similarities with those of the words, not centred",
        lambda network, condition: network.mantel(condition, centred=False).correlation,
    ),
)


def _heldout(networks: list[Features], condition: str) -> np.ndarray:
    """The mean correlation of each seed."""
    return np.array([network.heldout(condition).mean() for network in networks])


def _destroyed(models: Models) -> list[Claim]:
    """K1."""
    fall = _heldout(models["nat"], "clean") - _heldout(models["nat"], runs.ATTACK)
    return [
        claim(
            "K1",
            "An attack destroys the correlation of features and words",
            "fall of the mean held-out canonical correlation of a naturally trained "
            f"network under PGD-20; {_SEEDS}",
            _of_seeds(fall),
            Above(printed.DESTROYED),
        )
    ]


def _restored(models: Models) -> list[Claim]:
    """K2."""
    gain = _heldout(models["pgd"], runs.ATTACK) - _heldout(models["nat"], runs.ATTACK)
    return [
        claim(
            "K2",
            "Adversarial training restores it",
            "mean held-out canonical correlation on adversarial images, of a network "
            f"trained with PGD less that of a naturally trained one; {_SEEDS}",
            _of_seeds(gain),
            Above(printed.RESTORED),
        )
    ]


def _ordered(models: Models) -> list[Claim]:
    """K3."""
    statement = "The more robust a network, the stronger its correlation"
    robust = min(network.robust_accuracy(runs.ATTACK) for network in models["fgsm"])
    if robust < printed.OVERFITTED:
        return [
            whole(
                "K3",
                statement,
                "a network trained with FGSM has failed: its accuracy under PGD-20 is "
                f"{100 * robust:.1f} %",
                "undecided",
            )
        ]
    parts = [
        _part(
            f"K3_{better}",
            statement,
            f"held-out correlation on adversarial images, {runs.OBSERVED[better]} less "
            f"{runs.OBSERVED[worse]}",
            _heldout(models[better], runs.ATTACK)
            - _heldout(models[worse], runs.ATTACK),
            Above(0.0),
        )
        for worse, better in (("nat", "fgsm"), ("fgsm", "pgd"))
    ]
    return with_parts("K3", statement, parts)


def _alike(models: Models) -> list[Claim]:
    """K4, on natural images, as the figure has them."""
    statement = "Classes of a robust network lie as their words do"
    nat, pgd = (
        [each.mantel("clean") for each in models[name]] for name in ("nat", "pgd")
    )
    near = []
    for network in models["pgd"]:
        found = network.similarity("clean")
        near.append(found[_CAT, _DOG] - found[_CAT, _TRUCK])
    measured: tuple[tuple[str, str, list[float], Rule, bool], ...] = (
        (
            "difference",
            "rank correlation of centred class similarities with those of the words, "
            "PGD training less natural training",
            [a.correlation - b.correlation for a, b in zip(pgd, nat, strict=True)],
            Above(0.0),
            True,
        ),
        (
            "p",
            "p-value of the Mantel test, PGD training",
            [each.p_value for each in pgd],
            Below(printed.SIGNIFICANT),
            False,
        ),
        (
            "cat",
            "similarity of cat and dog less that of cat and truck, PGD training",
            near,
            Above(0.0),
            True,
        ),
    )
    if not all(np.isfinite(values).all() for _, _, values, _, _ in measured):
        return [whole("K4", statement, "a class has no mean direction", "undecided")]
    parts = [
        _part(f"K4_{id_}", statement, what, np.array(values), rule, signed=signed)
        for id_, what, values, rule, signed in measured
    ]
    return with_parts("K4", statement, parts)


def _invariant(models: Models) -> list[Claim]:
    """Correlations with words are those with any other vectors of the classes."""
    worst = []
    for network in models["pgd"]:
        own = network.fitted("clean")
        others = (
            data.class_codes(network.words, kind)
            for kind in ("perm", "random", "onehot")
        )
        worst.append(
            max(np.abs(network.fitted("clean", each) - own).max() for each in others)
        )
    return [
        _part(
            "invariance",
            "Canonical correlations with words measure how separable the classes are, "
            "not what the words mean: other vectors give the same",
            "greatest difference of a correlation with permuted, random or one-hot "
            "vectors from that with the words, PGD training",
            np.array(worst),
            Below(printed.INVARIANT),
            signed=False,
        )
    ]


def _part(
    id_: str,
    statement: str,
    measurement: str,
    values: np.ndarray,
    rule: Rule,
    *,
    signed: bool = True,
) -> Claim:
    return claim(
        id_,
        statement,
        f"{measurement}; {_SEEDS}",
        _of_seeds(values),
        rule,
        signed=signed,
    )


def _of_seeds(values: np.ndarray) -> Interval:
    """Mean, least and greatest: beyond a bound where, and only where, each seed is."""
    return Interval(
        *(float(each) for each in (values.mean(), values.min(), values.max()))
    )


def _draw_correlations(work: Workspace, models: Models) -> Picture:
    """Fig. 1: all correlations in five cases, and the floor."""
    cases = (
        ("nat", "clean"),
        ("nat", runs.ATTACK),
        ("fgsm", runs.ATTACK),
        ("pgd", "clean"),
        ("pgd", runs.ATTACK),
    )
    panels = []
    for title, measure in (
        ("held out", Features.heldout),
        ("fitted to the same images", Features.fitted),
    ):
        lines = []
        for procedure, condition in cases:
            values = measure(models[procedure][0], condition)
            label = f"{runs.OBSERVED[procedure]}, {_CONDITIONS[condition]}"
            places = np.arange(1, len(values) + 1)
            lines.append(figures.Curve(label=label, x=places, y=values))
        if measure is Features.fitted:
            floor = models["nat"][0].floor("clean")
            places = np.arange(1, len(floor) + 1)
            lines.append(
                figures.Curve(label="permuted labels", x=places, y=floor, line="--")
            )
        panels.append(
            figures.Panel(
                x_label="pair of directions",
                y_label="canonical correlation",
                curves=lines,
                title=title,
            )
        )
    path = work.output_dir / "figure1.png"
    figures.curves(panels, path)
    return Picture(
        file=path.name,
        caption="As Fig. 1, of the first seed. The same correlations come of any "
        "vectors of the classes, permuted, random or one-hot: they show how separable "
        "the classes are.",
    )


def _draw_similarities(
    work: Workspace, models: Models, clip: np.ndarray | None
) -> Picture:
    """Fig. 2: similarities of classes."""
    panels: dict[str, np.ndarray | None] = {
        "words": _similarity(models["nat"][0].words)
    }
    for procedure in ("nat", "pgd"):
        panels[runs.OBSERVED[procedure]] = models[procedure][0].similarity("clean")
    panels["CLIP: missing" if clip is None else "CLIP"] = clip
    path = work.output_dir / "figure2.png"
    figures.heat_maps(panels, _CIFAR10, "cosine of classes, centred", path)
    why = (
        " The matrix of CLIP, panel (d), is missing: no file of its embeddings of the "
        "class names was given (--clip_embeddings)."
    )
    return Picture(
        file=path.name,
        caption="As Fig. 2: similarities of classes, centred; those of networks are "
        "of natural images and the first seed." + (why if clip is None else ""),
    )


def _similarity(rows: np.ndarray) -> np.ndarray:
    """Of vectors of classes, `[C, E]`, centred as those of features are."""
    return metrics.class_similarity(rows, np.arange(len(rows)), centred=True)
