"""What a command says on stderr while it works."""

import datetime
import os
import sys
import time

from tqdm import tqdm

_LEAST_COLUMNS = 20  # of a terminal on which a bar can be drawn
_LEAST_ROWS = 2
_SECONDS_BETWEEN_LINES = 10.0


def note(text: str) -> None:
    """Says what begins now."""
    tqdm.write(text, file=sys.stderr)
    sys.stderr.flush()


class Progress:
    """A bar with the time left on a terminal, lines elsewhere.

    The time left is reckoned from the first update on: what comes before it is
    tracing.
    """

    def __init__(self, total: int, *, done: int = 0, unit: str, lines: bool = True):
        """Starts at `done` of `total` units.

        Args:
            total: units in all.
            done: units done by earlier starts.
            unit: its name in the singular.
            lines: whether `update` writes lines where there is no terminal; else
                `line` alone does.
        """
        self._bar = tqdm(
            total=total,
            initial=done,
            unit=unit,
            dynamic_ncols=True,
            disable=not _bar_fits(),
        )
        self._total, self._unit, self._lines = total, unit, lines
        self._done = done
        self._first: tuple[int, float] | None = None
        self._written = time.monotonic()

    def update(self, done: int) -> None:
        """Moves to `done` units."""
        self._done = done
        if self._first is None:
            self._first = done, time.monotonic()
            self._restart_bar(done)
        else:
            self._bar.update(done - self._bar.n)
        late = time.monotonic() - self._written > _SECONDS_BETWEEN_LINES
        if self._lines and (late or done == self._total):
            self.line("")

    def line(self, text: str) -> None:
        """Adds a text to the bar; without a terminal, writes a line with it."""
        if not self._bar.disable:
            self._bar.set_postfix_str(text)
            return
        self._written = time.monotonic()
        parts = [f"{self._unit} {self._done}/{self._total}", text, self._pace()]
        print("  ".join(filter(None, parts)), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Ends the line of the bar, so that what is written next has its own."""
        self._bar.close()

    def _restart_bar(self, done: int) -> None:
        if self._bar.disable:
            return
        self._bar.n = self._bar.initial = self._bar.last_print_n = done
        self._bar.unpause()  # counts the time from now on
        self._bar.refresh()

    def _pace(self) -> str:
        begun, started = self._first or (self._done, self._written)
        spent = time.monotonic() - started
        if self._done == begun or not spent:
            return ""
        rate = (self._done - begun) / spent
        left = datetime.timedelta(seconds=round((self._total - self._done) / rate))
        return f"{rate:.1f} {self._unit}s/s  {left} left"


def _bar_fits() -> bool:
    if not sys.stderr.isatty():
        return False
    try:
        columns, rows = os.get_terminal_size(sys.stderr.fileno())
    except (OSError, ValueError):  # of a terminal in a program
        return True
    return columns >= _LEAST_COLUMNS and rows >= _LEAST_ROWS
