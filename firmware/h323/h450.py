"""APDUs of supplementary services: what one item of ``h4501SupplementaryService`` says (H.450.1 clause 8).

An item holds components: somebody asks for an operation (`Invoke`), which is done (`Result`), can't be done (`Failure`)
or is not understood (`Reject`).  It says too what becomes of an operation that its receiver does not know.

Rule 1: an operation that we know has its name, another one its code; what can't be read of an argument or a result is
None.
Rule 2: what is for somebody else than the endpoint at the other end of the call is no item for us.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware.errors import DecodeError
from firmware.h323.h450_types import ERRORS, OPERATIONS, SUPPLEMENTARY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firmware.asn1 import Value

DISCARD: Final = "discardAnyUnrecognizedInvokePdu"
CLEAR: Final = "clearCallIfAnyInvokePduNotRecognized"
REJECT: Final = "rejectAnyUnrecognizedInvokePdu"
"""What is to become of an unknown operation (H.450.1 8.2)."""

UNRECOGNIZED_OPERATION: Final = ("invoke", 1)
MISTYPED_ARGUMENT: Final = ("invoke", 2)
RESOURCE_LIMITATION: Final = ("invoke", 3)
"""Problems of a `Reject` (X.880)."""

MAX_ITEMS: Final = 8
"""Items of one message that are looked at."""
MAX_COMPONENTS: Final = 8
"""Components of one item that are looked at."""
MAX_OCTETS: Final = 2048
"""Of one item; a longer one is not read."""
MAX_CODE: Final = 0xFFFF
"""Codes beyond are not told apart."""

_NAMES: Final = {operation.code: name for name, operation in OPERATIONS.items()}
_CODES: Final = {name: code for code, name in ERRORS.items()}


@dataclass(frozen=True, slots=True)
class Invoke:
    """Somebody asks for an operation."""

    invoke_id: int
    operation: str
    """A name of `OPERATIONS`; one that we don't know: its code, or "unknown"."""
    argument: Value
    """None: it can't be read, or none is to be written; {}: none was there to be read, or nothing is in it."""

    @property
    def known(self) -> bool:
        """Whether the operation is one of `OPERATIONS`."""
        return self.operation in OPERATIONS


@dataclass(frozen=True, slots=True)
class Result:
    """An operation is done."""

    invoke_id: int
    operation: str = ""
    """"": nothing is returned."""
    result: Value = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An operation can't be done."""

    invoke_id: int
    error: str
    """A name of `ERRORS`; one that we don't know: its code, or "unknown"."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A component was not understood."""

    invoke_id: int
    problem: tuple[str, int]
    """What kind of component, and the number of the problem."""


Component = Invoke | Result | Failure | Reject


@dataclass(frozen=True, slots=True)
class Item:
    """One H4501SupplementaryService."""

    components: tuple[Component, ...]
    unknown: str = REJECT
    """What is to become of operations that its receiver does not know: DISCARD, CLEAR or REJECT."""


def decode(octets: bytes) -> Item:
    """Read an item.  DecodeError: it is none, or is too long."""
    if len(octets) > MAX_OCTETS:
        raise DecodeError(f"a supplementary service of {len(octets)} octets")
    value: dict[str, Value] = SUPPLEMENTARY_SERVICE.decode(octets)
    # H.450.1 8.2: where it is not said, whoever asks wants to hear that he was not understood.
    said = value.get("interpretationApdu", (REJECT, None))[0]
    unknown = said if said in (DISCARD, CLEAR) else REJECT
    destination = value.get("networkFacilityExtension", {}).get("destinationEntity", ("endpoint", None))[0]
    kind, components = value["serviceApdu"]
    if kind != "rosApdus" or destination not in ("endpoint", "anyEntity"):
        return Item((), unknown)
    return Item(tuple(_read(*component) for component in components[:MAX_COMPONENTS]), unknown)


def encode(components: Sequence[Component], unknown: str = REJECT) -> bytes:
    """Write an item.  ValueError: an argument or a result is not one of its operation."""
    return SUPPLEMENTARY_SERVICE.encode(
        {
            "interpretationApdu": (unknown, None),
            "serviceApdu": ("rosApdus", [_write(component) for component in components]),
        }
    )


def _read(kind: str, value: dict[str, Value]) -> Component:
    invoke_id = value["invokeId"]
    match kind:
        case "invoke":
            name = _name(value["opcode"], _NAMES)
            return Invoke(invoke_id, name, _argument(name, value["argument"]) if "argument" in value else {})
        case "returnResult":
            returned = value.get("result")
            if returned is None:
                return Result(invoke_id)
            name = _name(returned["opcode"], _NAMES)
            return Result(invoke_id, name, _result(name, returned["result"]))
        case "returnError":
            return Failure(invoke_id, _name(value["errcode"], ERRORS))
    return Reject(invoke_id, value["problem"])


def _write(component: Component) -> Value:
    match component:
        case Invoke(invoke_id, name, argument):
            operation = OPERATIONS[name]
            invoke = {"invokeId": invoke_id, "opcode": ("local", operation.code)}
            return "invoke", invoke | ({} if argument is None else {"argument": operation.argument.encode(argument)})
        case Result(invoke_id, "", _):
            return "returnResult", {"invokeId": invoke_id}
        case Result(invoke_id, name, result):
            operation = OPERATIONS[name]
            if operation.result is None:
                raise ValueError(f"{name} returns nothing")
            returned = {"opcode": ("local", operation.code), "result": operation.result.encode(result)}
            return "returnResult", {"invokeId": invoke_id, "result": returned}
        case Failure(invoke_id, error):
            return "returnError", {"invokeId": invoke_id, "errcode": ("local", _CODES[error])}
        case Reject(invoke_id, problem):
            return "reject", {"invokeId": invoke_id, "problem": problem}


def _name(code: Value, names: dict[int, str]) -> str:
    kind, number = code
    if kind == "local" and 0 <= number <= MAX_CODE:
        return names.get(number, str(number))
    return "unknown"


def _argument(name: str, octets: bytes) -> Value:
    try:
        return OPERATIONS[name].argument.decode(octets) if name in OPERATIONS else None
    except DecodeError:
        return None


def _result(name: str, octets: bytes) -> Value:
    kind = OPERATIONS[name].result if name in OPERATIONS else None
    try:
        return kind.decode(octets) if kind is not None else None
    except DecodeError:
        return None
