#!/usr/bin/env bash
# Makes the artefacts of the papers; ./reproduce.sh --help lists the flags.
# Where Python cannot import what that needs, it is installed into .venv first.
set -euo pipefail
cd "$(dirname "$0")"

python=python3
if [ -x .venv/bin/python ]; then
  python=.venv/bin/python
fi
if ! "$python" -c 'import absl, importlib.util as u; assert u.find_spec("snakemake") and u.find_spec("tensorflow")' 2>/dev/null; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --editable '.[reproduce]'
  python=.venv/bin/python
fi
exec "$python" -m tfsemae.reproduce "$@"
