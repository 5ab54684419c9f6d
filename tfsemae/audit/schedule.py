"""What an audit says of its stages: one line each, with the time left."""

import datetime
import time
from collections.abc import Mapping

from tfsemae.progress import Progress, note

_KNOWN = 0.1  # share of all costs from which on the pace is measured
_SECONDS_BETWEEN_LINES = 60.0  # of a long stage


class Schedule:
    """The stages of an audit, in order, and how long the rest of them may take.

    The time left comes from the stages that were computed so far; before enough of
    them were, from the plan, if it has a time.
    """

    def __init__(self, costs: Mapping[str, float], *, seconds: float | None = None):
        """Takes the stages.

        Args:
            costs: title -> cost of the stage, in a unit that all share.
            seconds: that all stages may take; None where it is not known.
        """
        self._costs = dict(costs)
        self._total = sum(self._costs.values())
        self._pace = None if seconds is None else seconds / self._total
        self._spent = self._done = 0.0
        self._begun: tuple[float, float] | None = None  # cost, and since when

    def stage(self, title: str, units: int) -> "Stage":
        """A stage of that many units of work, of which nothing is said yet."""
        return Stage(self, title, units)

    def begin(self, title: str, share: float = 1.0) -> None:
        """Says that a stage is computed from now on; the one before it has ended.

        Args:
            title: of the stage.
            share: of it that is left to do; an earlier start did the rest.
        """
        self._end()
        place = list(self._costs).index(title)
        costs = list(self._costs.values())[place:]
        costs[0] *= share
        self._begun = costs[0], time.monotonic()
        left = ""
        if self._pace is not None:
            seconds = round(self._pace * sum(costs))
            left = f"  about {datetime.timedelta(seconds=seconds)} left"
        note(f"[{place + 1}/{len(self._costs)}] {title}{left}")

    def _end(self) -> None:
        if self._begun is None:
            return
        cost, since = self._begun
        self._spent += time.monotonic() - since
        self._done += cost
        if self._done >= _KNOWN * self._total:
            self._pace = self._spent / self._done


class Stage:
    """The progress of one stage; see `Schedule.stage`."""

    def __init__(self, schedule: Schedule, title: str, units: int):
        """Takes what `Schedule.stage` does."""
        self._schedule, self._title, self._units = schedule, title, units
        self._progress: Progress | None = None
        self._written = time.monotonic()

    def begin(self, done: int) -> None:
        """Says that the work goes on after some units, once."""
        if self._progress is not None:
            return
        self._schedule.begin(self._title, 1 - done / self._units)
        self._progress = Progress(self._units, done=done, unit="image", lines=False)
        self._written = time.monotonic()

    def update(self, done: int) -> None:
        """Moves to `done` units."""
        assert self._progress is not None
        self._progress.update(done)
        if time.monotonic() - self._written > _SECONDS_BETWEEN_LINES:
            self._progress.line("")
            self._written = time.monotonic()

    def close(self) -> None:
        """Ends the bar, if there is one."""
        if self._progress is not None:
            self._progress.close()
