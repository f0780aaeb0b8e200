from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from firmware.errors import RemoteProtocolError
from firmware.sip.field import Headers
from firmware.sip.field_property import MAX_VALUES, FieldProperty, list_of, optional_of, required_of, tokens_of

T = TypeVar("T")


class Owner:
    to = required_of("To", str.upper)
    subject = optional_of("Subject", str.upper)
    routes = list_of("Route", str.upper)
    allow = tokens_of("Allow")

    def __init__(self, *items: tuple[str, str]) -> None:
        self.headers = Headers(items)
        self.asked: list[str] = []

    def read_once(self, key: str, read: Callable[[Headers], T]) -> T:
        self.asked.append(key)
        return read(self.headers)


def test_a_property_asks_its_owner_under_its_own_name() -> None:
    owner = Owner(("t", "a"))
    assert owner.to == "A"
    assert owner.asked == ["to"]
    assert isinstance(Owner.to, FieldProperty)


def test_missing() -> None:
    owner = Owner()
    assert owner.subject is None
    assert owner.routes == owner.allow == ()
    with pytest.raises(RemoteProtocolError, match="no header field To") as raised:
        _ = owner.to
    assert raised.value.status == 400


def test_repeated() -> None:
    owner = Owner(("To", "a"), ("t", "b"), ("Subject", "a"), ("s", "b"), ("Route", "a, b"), ("Route", "c"))
    assert owner.routes == ("A", "B", "C")
    for name in ("to", "subject"):
        with pytest.raises(RemoteProtocolError, match="2 header fields"):
            getattr(owner, name)


def test_tokens() -> None:
    assert Owner(("Allow", "a,,b,")).allow == ("a", "b")
    with pytest.raises(RemoteProtocolError):
        _ = Owner(("Allow", "a b")).allow


@pytest.mark.parametrize(("header", "name"), [("Route", "routes"), ("Allow", "allow")])
def test_the_length_of_a_list_is_bounded(header: str, name: str) -> None:
    assert len(getattr(Owner((header, ",".join(["a"] * MAX_VALUES))), name)) == MAX_VALUES
    with pytest.raises(RemoteProtocolError, match=f"{MAX_VALUES + 1} values"):
        getattr(Owner((header, ",".join(["a"] * (MAX_VALUES + 1)))), name)
