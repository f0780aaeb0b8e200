"""Features of H.460 in messages."""

from __future__ import annotations

import pytest

from firmware.asn1 import Value
from firmware.h323.h460_feature import (
    MAX_PARAMETERS,
    encode_feature,
    encode_parameters,
    find_feature,
    find_generic,
    read_parameters,
    supported,
)
from firmware.h323.ras_message import Body

FEATURE = encode_feature(22, [(1, ("compound", encode_parameters([(1, ("number8", 3)), (2, None)])))])


def test_a_feature_is_what_the_types_of_h225_say() -> None:
    assert FEATURE == {
        "id": ("standard", 22),
        "parameters": [
            {
                "id": ("standard", 1),
                "content": (
                    "compound",
                    [{"id": ("standard", 1), "content": ("number8", 3)}, {"id": ("standard", 2)}],
                ),
            }
        ],
    }
    # GenericData.parameters has one at least
    assert encode_feature(18) == {"id": ("standard", 18)}


def test_what_is_written_is_read() -> None:
    found = find_generic([encode_feature(18), FEATURE], 22)
    assert found is not None
    [(number, content)] = found
    assert (number, content[0]) == (1, "compound")
    assert read_parameters(content[1]) == [(1, ("number8", 3)), (2, None)]


@pytest.mark.parametrize("kind", ["neededFeatures", "desiredFeatures", "supportedFeatures"])
def test_it_may_be_needed_desired_or_supported(kind: str) -> None:
    body: Body = {"featureSet": {"replacementFeatureSet": False, kind: [encode_feature(18), encode_feature(17)]}}
    assert find_feature(body, 17) == []
    assert find_feature(body, 22) is None


def test_it_may_stand_beside_the_feature_set() -> None:
    assert find_feature({"genericData": [encode_feature(17)]}, 17) == []
    assert find_feature({"featureSet": supported(encode_feature(17))}, 17) == []
    assert find_feature({}, 17) is None


@pytest.mark.parametrize("other", [("oid", "1.2.3"), ("nonStandard", bytes(16)), ("+3", b"")])
def test_names_that_are_no_numbers_of_the_series_are_passed_over(other: Value) -> None:
    assert find_generic([{"id": other}], 17) is None
    assert read_parameters([{"id": other, "content": ("bool", True)}, {"id": ("standard", 5)}]) == [(5, None)]


def test_there_is_a_bound() -> None:
    many = encode_parameters([(1, None)] * 500)
    assert len(read_parameters(many)) == MAX_PARAMETERS
