"""The types of H.225.0, H.235, H.245 and H.450 in the notation of `firmware.asn1`, one file for each Recommendation.

The files hold structure only; what a component means says the Recommendation.  `tests/conformance/pycrate_schema.py`
wrote all but h450: H.225.0 (12/2009), version 7; H.235.0 (01/2014); H.245 (05/2011), version 16.
"""

from __future__ import annotations

import pkgutil

from firmware.asn1 import Schema


def load(name: str, **imports: Schema) -> Schema:
    """Give a Recommendation's types: "h235", "h225", "h245" or "h450", with the schemas that it refers to."""
    text = pkgutil.get_data(__name__, f"{name}.txt")
    if text is None:
        raise FileNotFoundError(f"{name}.txt")
    return Schema(text.decode(), **imports)
