"""Intervals, the bootstrap, and the verdicts that intervals allow."""

from tfsemae.statistics.bootstrap import Statistic, bootstrap_interval, mean_statistic
from tfsemae.statistics.intervals import Interval, t_interval
from tfsemae.statistics.verdicts import Verdict, above, all_hold, within

__all__ = [
    "Interval",
    "Statistic",
    "Verdict",
    "above",
    "all_hold",
    "bootstrap_interval",
    "mean_statistic",
    "t_interval",
    "within",
]
