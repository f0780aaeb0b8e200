"""The types of H.225.0, H.235 and H.245 in the notation of `firmware.asn1`, one file for each Recommendation.

The files hold structure only, in the order of names; what a component means says the Recommendation.
`tests/conformance/pycrate_schema.py` wrote them.
"""

from __future__ import annotations

import pkgutil

from firmware.asn1 import Schema


def load(name: str, **imports: Schema) -> Schema:
    """Give a Recommendation's types: "h235", "h225" or "h245", with the schemas that it refers to."""
    text = pkgutil.get_data(__name__, f"{name}.txt")
    if text is None:
        raise FileNotFoundError(f"{name}.txt")
    return Schema(text.decode(), **imports)
