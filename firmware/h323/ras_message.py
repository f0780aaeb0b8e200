"""RAS messages as values: which answers belong to which request, and how long to wait for them.

A message is a name, an alternative of RasMessage (H.225.0 7.7 to 7.18), and a body, the value of its SEQUENCE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from firmware.asn1 import Value

Body: TypeAlias = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request's two answers, and how patient its sender is."""

    confirm: str
    reject: str
    timeout: float
    """Seconds until the request is sent again."""
    retries: int
    """How often it is sent again."""


def _exchange(name: str, timeout: float, retries: int) -> Exchange:
    return Exchange(f"{name}Confirm", f"{name}Reject", timeout, retries)


EXCHANGES: Final[dict[str, Exchange]] = {
    # H.225.0 7.19: recommended default time-outs and retry counts
    "gatekeeperRequest": _exchange("gatekeeper", 5.0, 2),
    "registrationRequest": _exchange("registration", 3.0, 2),
    "unregistrationRequest": _exchange("unregistration", 3.0, 1),
    "admissionRequest": _exchange("admission", 5.0, 2),
    "bandwidthRequest": _exchange("bandwidth", 3.0, 2),
    "disengageRequest": _exchange("disengage", 3.0, 2),
    "locationRequest": _exchange("location", 5.0, 2),
    "infoRequest": Exchange("infoRequestResponse", "", 3.0, 1),
    # An IRR is a request only where an answer to it was agreed on (H.225.0 7.15.2: needResponse).
    "infoRequestResponse": Exchange("infoRequestAck", "infoRequestNak", 5.0, 2),
    "serviceControlIndication": Exchange("serviceControlResponse", "", 3.0, 2),
}

ANSWERS: Final = frozenset(
    {name for exchange in EXCHANGES.values() for name in (exchange.confirm, exchange.reject) if name}
    | {"requestInProgress", "unknownMessageResponse", "resourcesAvailableConfirm"}
)
"""Messages that answer another one; nobody answers them."""

UNKNOWN_MESSAGE: Final = "unknownMessageResponse"
IN_PROGRESS: Final = "requestInProgress"


def text(body: Body, name: str) -> str:
    """Give a character string without the NUL that some peers close it with; "" if there is none."""
    value: str = body.get(name, "")
    return value.rstrip("\0")


def chosen(body: Body, name: str) -> str:
    """Give the name of a CHOICE's alternative; "" if the component is absent."""
    value = body.get(name)
    return "" if value is None else str(value[0])
