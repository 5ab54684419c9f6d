"""A robustness report for anybody's autoencoder.

    python -m tfsemae.audit --model=runs/digits --output_dir=runs/audit

TensorFlow is imported when something is first audited: a command reads only settings.
"""

import hashlib
import json
import pathlib

from tfsemae import files, lazy, run_folder, startup
from tfsemae.audit import settings as _settings
from tfsemae.audit.settings import Settings
from tfsemae.models import verification

_HOMES = {
    "Comparison": "comparing",
    "Report": "report",
    "audit": "core",
    "compare": "comparing",
    "schema": "report",
    "split": "splitting",
}

__all__ = [
    "Comparison",
    "Report",
    "Settings",
    "audit",
    "audit_run",
    "compare",
    "failures",
    "schema",
    "split",
]


def audit_run(settings: Settings) -> run_folder.Metrics:
    """Audits what the flags name, or compares finished audits.

    Args:
        settings: of the audit.

    Returns:
        What `metrics.json` holds: number of `images`, `seconds`, means of `clean`
        reconstructions, `figures` (see `Report`) and the names of `warnings`. Of a
        comparison, `<model>` -> `<space>` -> `median` and `ratio` to the first one.

    Raises:
        ValueError: if model, images, flags and folder do not suit each other.
    """

    def unchanged(folder: pathlib.Path) -> None:
        run_folder.check_inputs(folder, _digests(settings))

    def work(folder: pathlib.Path) -> run_folder.Metrics:
        # Before TensorFlow is imported, which takes seconds.
        _check_there(settings)
        startup.load_tensorflow()
        from tfsemae.audit import running

        return running.run(settings, folder, _digests(settings))

    def compared(folder: pathlib.Path) -> run_folder.Metrics:
        from tfsemae.audit.report import Report

        assert settings.compare is not None
        for each in settings.compare:
            Report.read(each)
        files.write_json(folder / run_folder.INPUTS_FILE, _audits(settings))
        startup.load_tensorflow()
        from tfsemae.audit import comparing

        return comparing.summary(comparing.compare(settings.compare, folder))

    def current(folder: pathlib.Path) -> None:
        path = folder / run_folder.INPUTS_FILE
        known = path.read_text("utf-8") if path.is_file() else "null"
        if json.loads(known) != _audits(settings):
            raise ValueError("The audits have changed since they were compared.")

    if settings.compare:
        return run_folder.perform(settings, compared, verify=current)
    return run_folder.perform(settings, work, unchanged=unchanged)


def _check_there(settings: Settings) -> None:
    for name in ("model", "encoder", "decoder", "custom_objects"):
        value = getattr(settings, name)
        if value is not None and not files.path(value).exists():
            raise ValueError(f"--{name}={value}: there is no such file or folder.")


def _digests(settings: Settings) -> dict[str, str]:
    """Flag -> SHA-256 of the files that it names, as far as they are there."""
    found = {}
    for name in ("model", "encoder", "decoder", "custom_objects", "dataset"):
        path = files.path(getattr(settings, name) or "")
        if path.is_file():
            found[name] = files.sha256(path)
        elif (path / "saved_model.pb").is_file():
            lines = map(" ".join, files.sha256_of_folder(path).items())
            found[name] = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        elif name == "model":
            found |= verification.recorded_weights({name: path})
    return found


def _audits(settings: Settings) -> dict[str, str]:
    """Folder of a finished audit -> SHA-256 of what it found."""
    from tfsemae.audit.report import FILE_NAME

    found = {}
    for each in settings.compare or ():
        path = files.path(each) / FILE_NAME
        found[str(each)] = files.sha256(path) if path.is_file() else ""
    return found


def failures(settings: Settings, found: run_folder.Metrics) -> list[str]:
    """The figures that pass a bound of the flags, a line each.

    Args:
        settings: of the audit.
        found: what `audit_run` returned.

    Raises:
        ValueError: if the audit has no such figure.
    """
    lines = []
    for sign, flag in ((1, "above"), (-1, "below")):
        texts = getattr(settings, f"fail_{flag}") or ()
        for name, bound in _settings.bounds(flag, texts).items():
            if name not in found.get("figures", {}):
                raise ValueError(
                    f"--fail_{flag}={name}:{bound:g}: this audit has no such figure. "
                    f"There are: {', '.join(found.get('figures', {})) or 'none'}."
                )
            value = found["figures"][name]
            if value is None:
                # The damage was done by no perturbation, or outputs are not finite.
                if not name.endswith("_perturbation"):
                    lines.append(f"Failed: {name} has no finite value.")
                continue
            if sign * (value - bound) > 0:
                lines.append(
                    f"Failed: {name} is {value:.4g}, {flag} the bound of {bound:g}."
                )
    return lines


__getattr__ = lazy.attributes(__name__, _HOMES)
