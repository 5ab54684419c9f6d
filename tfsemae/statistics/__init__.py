"""Intervals, the bootstrap, and the rules that decide a claim from an interval.

SciPy is imported when an interval is first computed.
"""

from tfsemae import lazy
from tfsemae.statistics.interval import Interval
from tfsemae.statistics.rules import Above, Below, Between, NotBelow, Rule, Within
from tfsemae.statistics.verdicts import Verdict, all_hold

__all__ = [
    "Above",
    "Below",
    "Between",
    "Interval",
    "NotBelow",
    "Rule",
    "Statistic",
    "Verdict",
    "Within",
    "all_hold",
    "bootstrap_interval",
    "holm",
    "mean_statistic",
    "quantile_statistic",
    "t_interval",
    "t_test",
]

__getattr__ = lazy.attributes(
    __name__,
    {
        "Statistic": "bootstrap",
        "bootstrap_interval": "bootstrap",
        "holm": "multiple_tests",
        "mean_statistic": "bootstrap",
        "quantile_statistic": "bootstrap",
        "t_interval": "intervals",
        "t_test": "intervals",
    },
)
