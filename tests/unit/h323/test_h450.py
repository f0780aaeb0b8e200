"""APDUs of supplementary services: what is written is read again, and what can't be read has a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DecodeError
from firmware.h323 import h450
from firmware.h323.h450 import Failure, Invoke, Item, Reject, Result
from firmware.h323.h450_types import OPERATIONS, SUPPLEMENTARY_SERVICE

BOB = {"destinationAddress": [("h323-ID", "bob")]}
INITIATE = {"callIdentity": "7", "reroutingNumber": BOB}


@pytest.mark.parametrize(
    "component",
    [
        Invoke(1, "callTransferInitiate", INITIATE),
        Invoke(0xFFFF, "holdNotific", {}),
        Result(2),
        Result(3, "callTransferIdentify", INITIATE),
        Result(4, "remoteHold", {}),
        Failure(5, "invalidReroutingNumber"),
        Reject(6, ("invoke", 1)),
        Reject(6, ("returnError", 4)),
    ],
    ids=str,
)
def test_component(component: h450.Component) -> None:
    for unknown in (h450.DISCARD, h450.CLEAR, h450.REJECT):
        assert h450.decode(h450.encode([component], unknown)) == Item((component,), unknown)


def test_several_components() -> None:
    components = (Result(2), Invoke(9, "holdNotific", {}))
    assert h450.decode(h450.encode(components)).components == components


def service(*components: object, **more: object) -> bytes:
    return SUPPLEMENTARY_SERVICE.encode({"serviceApdu": ("rosApdus", list(components)), **more})


def invoke(code: object, argument: bytes | None = None) -> object:
    more = {} if argument is None else {"argument": argument}
    return ("invoke", {"invokeId": 1, "opcode": code, **more})


def test_who_says_nothing_of_unknown_operations_hears_of_them() -> None:
    # H.450.1 8.3.1
    item = h450.decode(service(invoke(("local", 4711), b"\1\2\3")))
    assert item == Item((Invoke(1, "4711", None),), h450.REJECT)
    assert not item.components[0].known  # type: ignore[union-attr]


@pytest.mark.parametrize("code", [("local", -1), ("local", 1 << 60), ("global", "1.2.3")], ids=str)
def test_operations_of_strangers(code: object) -> None:
    (component,) = h450.decode(service(invoke(code))).components
    assert component == Invoke(1, "unknown", {})


def test_an_argument_that_cannot_be_read() -> None:
    (component,) = h450.decode(service(invoke(("local", 9), b"\xff\xff"))).components
    assert component == Invoke(1, "callTransferInitiate", None)


def test_an_argument_that_is_not_there() -> None:
    octets = h450.encode([Invoke(1, "callTransferIdentify", None)])
    assert h450.decode(octets).components == (Invoke(1, "callTransferIdentify", {}),)


def test_a_result_that_cannot_be_read_is_still_one() -> None:
    returned = {"invokeId": 1, "result": {"opcode": ("local", OPERATIONS["callTransferIdentify"].code), "result": b""}}
    assert h450.decode(service(("returnResult", returned))).components == (Result(1, "callTransferIdentify", None),)


def test_errors_that_we_do_not_know() -> None:
    failure = ("returnError", {"invokeId": 1, "errcode": ("local", 9999)})
    assert h450.decode(service(failure)).components == (Failure(1, "9999"),)


def test_what_is_for_somebody_else() -> None:
    entity = {"sourceEntity": ("endpoint", None), "destinationEntity": ("anyEntity", None)}
    assert h450.decode(service(invoke(("local", 101)), networkFacilityExtension=entity)).components
    octets = bytearray(service(invoke(("local", 101)), networkFacilityExtension=entity))
    value = SUPPLEMENTARY_SERVICE.decode(bytes(octets))
    value["networkFacilityExtension"]["destinationEntity"] = ("+0", b"")
    assert h450.decode(SUPPLEMENTARY_SERVICE.encode(value)).components == ()


def test_bounds() -> None:
    many = [Result(n) for n in range(100)]
    assert len(h450.decode(h450.encode(many)).components) == h450.MAX_COMPONENTS
    with pytest.raises(DecodeError):
        h450.decode(h450.encode([Result(n) for n in range(1000)]))


def test_what_returns_nothing() -> None:
    with pytest.raises(ValueError, match="returns nothing"):
        h450.encode([Result(1, "holdNotific", {})])


@given(st.binary(max_size=200))
def test_any_octets(octets: bytes) -> None:
    try:
        item = h450.decode(octets)
    except DecodeError:
        return
    assert len(item.components) <= h450.MAX_COMPONENTS
