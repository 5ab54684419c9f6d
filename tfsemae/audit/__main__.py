"""Audits the robustness of an autoencoder, whoever made it.

    python -m tfsemae.audit --model=runs/digits --output_dir=runs/audit

Writes index.html, audit.json, pictures and arrays, and prints the headline: the
smallest perturbation of the latent and of the image that does a stated damage. Exit
status 3 where a figure passes the bounds of --fail_above and --fail_below. A second
start continues, or reads what is finished.
"""

import sys
from typing import Any

from absl import flags

from tfsemae import audit, command_line

command_line.define(audit.Settings)


def main(words: list[str]) -> None:
    """Audits as the flags say and prints the headline."""
    given = _with_words(words)
    found = audit.audit_run(given)
    command_line.show(found)
    failed = audit.failures(given, found)
    for line in failed:
        print(line, file=sys.stderr)
    if failed:
        sys.exit(3)


def _with_words(words: list[str]) -> audit.Settings:
    """Settings of the flags; words that follow `--compare runs/a` are folders too."""
    folders: Any = flags.FLAGS["compare"]
    if words and folders.value is None:
        raise ValueError(f"Unexpected {words[0]!r}; --helpshort lists the flags.")
    if words:
        folders.value = [*folders.value, *words]
    return command_line.read(audit.Settings)


if __name__ == "__main__":
    command_line.run(main, arguments=True)
