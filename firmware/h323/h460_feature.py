"""Features of the H.460 series: generic data that a number names (H.225.0 7.6, GenericData; H.460.1).

Rule: a message is looked through for what we know; features and parameters of other numbers, or with an object
identifier, are passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firmware.asn1 import Value

Parameters = list[tuple[int, "Value"]]
"""Number and content (the Content CHOICE; None: only that it is there), in the order in which they came."""

MAX_PARAMETERS: Final = 16
"""Of one feature; more are not looked at."""
_LISTS: Final = ("neededFeatures", "desiredFeatures", "supportedFeatures")


def encode_feature(number: int, parameters: Iterable[tuple[int, Value]] = ()) -> Value:
    """Write a GenericData, which a FeatureDescriptor is as well."""
    feature: dict[str, Value] = {"id": ("standard", number)}
    written = encode_parameters(parameters)
    return {**feature, "parameters": written} if written else feature


def encode_parameters(parameters: Iterable[tuple[int, Value]]) -> list[Value]:
    """Write EnumeratedParameters; with ``compound`` they are themselves a content."""
    return [
        {"id": ("standard", number), **({} if content is None else {"content": content})}
        for number, content in parameters
    ]


def read_parameters(values: Value) -> Parameters:
    """Read EnumeratedParameters that have a standard number."""
    return [
        (value["id"][1], value.get("content"))
        for value in (values or [])[:MAX_PARAMETERS]
        if value["id"][0] == "standard"
    ]


def supported(*features: Value) -> Value:
    """Write the FeatureSet of who supports these, and needs none."""
    return {"replacementFeatureSet": False, "supportedFeatures": list(features)}


def find_feature(body: dict[str, Value], number: int) -> Parameters | None:
    """Give the parameters of a feature that a message names, in its feature set or beside; None if it does not."""
    features = body.get("featureSet", {})
    named = [feature for name in _LISTS for feature in features.get(name, ())]
    return find_generic([*named, *body.get("genericData", ())], number)


def find_generic(values: Iterable[Value], number: int) -> Parameters | None:
    """Give the parameters of the first GenericData of this number; None if there is none."""
    for value in values:
        if value["id"] == ("standard", number):
            return read_parameters(value.get("parameters"))
    return None
