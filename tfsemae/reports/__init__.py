"""What an artefact found: its ledger, pictures and page. Free of TensorFlow.

`figures` (matplotlib), `page` (Jinja2) and `readme` are imported by their own
names, so that a ledger can be written without them.
"""

from tfsemae.reports.ledger import Choice, Claim, Ledger, NamedWarning, Picture, Row
from tfsemae.reports.provenance import environment, revision

__all__ = [
    "Choice",
    "Claim",
    "Ledger",
    "NamedWarning",
    "Picture",
    "Row",
    "environment",
    "revision",
]
