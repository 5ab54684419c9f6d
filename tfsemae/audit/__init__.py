"""A robustness report for anybody's autoencoder.

    python -m tfsemae.audit --model=runs/digits --output_dir=runs/audit

TensorFlow is imported when something is first audited: a command reads only settings.
"""

from tfsemae import lazy

_HOMES = {
    "Report": "report",
    "audit": "core",
    "schema": "report",
}

__all__ = ["Report", "audit", "schema"]

__getattr__ = lazy.attributes(__name__, _HOMES)
