"""An audit as a run: flags, folder, model and images."""

import hashlib
import pathlib
from collections.abc import Mapping

from tfsemae import data, devices, keras_state, metrics
from tfsemae.audit import core, loading
from tfsemae.audit.damage import Compare
from tfsemae.audit.report import Report
from tfsemae.audit.settings import Settings
from tfsemae.audit.subject import Request
from tfsemae.evaluation import perceptual
from tfsemae.run_folder import Metrics, check_inputs


@keras_state.standard()
def run(
    settings: Settings, folder: pathlib.Path, digests: Mapping[str, str]
) -> Metrics:
    """Audits in a folder that is locked; returns the headline.

    Args:
        settings: of the audit.
        folder: of the run.
        digests: of the files that the flags name.

    Raises:
        ValueError: if model, images and flags do not fit each other.
    """
    devices.set_threads(settings.threads)
    encode, decode, name = loading.functions(settings)
    value_range = loading.stated_range(settings)
    images, dataset = loading.images(settings, value_range)
    check_inputs(folder, {**digests, "images": images.digest()})
    report = core.run(
        Request(
            encode=encode,
            decode=decode,
            images=images,
            folder=folder,
            value_range=value_range,
            damage=settings.damage,
            examples=settings.examples,
            restarts=settings.restarts,
            steps=settings.steps,
            budget_minutes=settings.budget_minutes,
            batch_size=settings.batch_size,
            seed=settings.seed,
            lpips=_lpips(settings.weights_dir, images),
            anomaly_label=settings.anomaly_label,
            latent_output=settings.latent_output,
            name=name,
            dataset=dataset,
            weights=_weights(digests),
        )
    )
    return headline(report)


def headline(report: Report) -> Metrics:
    """What `metrics.json` holds of a report."""
    return {
        "images": report.audited.images,
        "seconds": round(report.audited.seconds, 1),
        "clean": {name: each.value for name, each in report.clean.items()},
        "figures": dict(report.figures),
        "warnings": sorted({warning.name for warning in report.warnings}),
    }


def _weights(digests: Mapping[str, str]) -> str | None:
    """One digest of the files of the model."""
    found = [
        digests[name] for name in ("model", "encoder", "decoder") if name in digests
    ]
    if len(found) < 2:
        return found[0] if found else None
    return hashlib.sha256("\n".join(found).encode()).hexdigest()


def _lpips(weights_dir: str | None, images: data.Images) -> Compare | None:
    height, width, channels = images.images.shape[1:]
    found: dict[str, metrics.LPIPSDistance] = perceptual.distances(
        weights_dir, (height, width, channels)
    )
    return found.get("lpips_alex")
