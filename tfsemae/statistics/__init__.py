"""Intervals, the bootstrap, and the rules that decide a claim from an interval.

SciPy is imported when an interval is first computed.
"""

from tfsemae import lazy
from tfsemae.statistics.interval import Interval
from tfsemae.statistics.verdicts import (
    Above,
    Below,
    BelowControl,
    Between,
    NonInferior,
    NotFalling,
    Relevance,
    Rule,
    Verdict,
    Within,
    all_hold,
    relevance_note,
)

__all__ = [
    "Above",
    "Below",
    "BelowControl",
    "Between",
    "Interval",
    "NonInferior",
    "NotFalling",
    "Relevance",
    "Rule",
    "Statistic",
    "Verdict",
    "Within",
    "all_hold",
    "bootstrap_interval",
    "holm",
    "mean_statistic",
    "relevance_note",
    "t_interval",
]

__getattr__ = lazy.attributes(
    __name__,
    {
        "Statistic": "bootstrap",
        "bootstrap_interval": "bootstrap",
        "holm": "multiple_tests",
        "mean_statistic": "bootstrap",
        "t_interval": "intervals",
    },
)
