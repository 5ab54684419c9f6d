"""Intervals, the bootstrap, and the rules that decide a claim from an interval."""

from tfsemae.statistics.bootstrap import Statistic, bootstrap_interval, mean_statistic
from tfsemae.statistics.intervals import Interval, t_interval
from tfsemae.statistics.multiple_tests import holm
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
    above,
    all_hold,
    relevance_note,
    within,
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
    "above",
    "all_hold",
    "bootstrap_interval",
    "holm",
    "mean_statistic",
    "relevance_note",
    "t_interval",
    "within",
]
