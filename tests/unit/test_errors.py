"""The exception tree: whoever catches a branch catches all of it."""

import pytest

from firmware import errors


@pytest.mark.parametrize(
    ("kind", "parents"),
    [
        (errors.ConfigError, (errors.FirmwareError, ValueError)),
        (errors.LocalProtocolError, (errors.ProtocolError, errors.FirmwareError)),
        (errors.RemoteProtocolError, (errors.ProtocolError, errors.FirmwareError)),
        (errors.DecodeError, (errors.RemoteProtocolError, ValueError)),
        (errors.CallError, (errors.FirmwareError,)),
        (errors.DeviceError, (errors.FirmwareError, OSError)),
    ],
)
def test_place_in_the_tree(kind: type[Exception], parents: tuple[type[Exception], ...]) -> None:
    assert all(issubclass(kind, parent) for parent in parents)
    assert str(kind("the words")) == "the words"


def test_a_remote_error_says_what_to_answer() -> None:
    assert errors.RemoteProtocolError("no").status == 400
    assert errors.DecodeError("too long", 414).status == 414
