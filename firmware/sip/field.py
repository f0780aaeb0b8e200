"""The header fields of a message, in order, and what is known of each name (RFC 3261 7.3, 20).

- A name is case-insensitive, and its compact form is the same name (RFC 3261 7.3.3).
- A value is text as it was written, unfolded and stripped.  Only `Headers.all` looks into it, to split a list.
- Order matters only among fields of one name (RFC 3261 7.3.1), and all of it is kept.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from firmware.errors import LocalProtocolError
from firmware.sip.grammar import SPACE, is_token, split_list


class Occurrence(enum.Enum):
    """How often a header field may stand in a message."""

    ONCE = enum.auto()
    """A second one makes the message malformed (RFC 3261 7.3.1)."""
    LIST = enum.auto()
    """Its grammar is a comma-separated list: several fields are the same as one with all values."""
    REPEATED = enum.auto()
    """Several are allowed, but a comma doesn't separate values (RFC 3261 7.3.1: the four of authentication)."""


_ONCE, _LIST, _REPEATED = Occurrence.ONCE, Occurrence.LIST, Occurrence.REPEATED

FIELDS: tuple[tuple[str, str, Occurrence], ...] = (
    # name, compact form, occurrence; RFC 3261 20 where nothing else is said
    ("Accept", "", _LIST),
    ("Accept-Contact", "a", _LIST),  # RFC 3841
    ("Accept-Encoding", "", _LIST),
    ("Accept-Language", "", _LIST),
    ("Alert-Info", "", _LIST),
    ("Allow", "", _LIST),
    ("Allow-Events", "u", _LIST),  # RFC 6665
    ("Authentication-Info", "", _ONCE),
    ("Authorization", "", _REPEATED),
    ("Call-ID", "i", _ONCE),
    ("Call-Info", "", _LIST),
    ("Contact", "m", _LIST),
    ("Content-Disposition", "", _ONCE),
    ("Content-Encoding", "e", _LIST),
    ("Content-Language", "", _LIST),
    ("Content-Length", "l", _ONCE),
    ("Content-Type", "c", _ONCE),
    ("CSeq", "", _ONCE),
    ("Date", "", _ONCE),
    ("Error-Info", "", _LIST),
    ("Event", "o", _ONCE),  # RFC 6665
    ("Expires", "", _ONCE),
    ("Flow-Timer", "", _ONCE),  # RFC 5626
    ("From", "f", _ONCE),
    ("Identity", "y", _LIST),  # RFC 8224
    ("In-Reply-To", "", _LIST),
    ("Max-Forwards", "", _ONCE),
    ("MIME-Version", "", _ONCE),
    ("Min-Expires", "", _ONCE),
    ("Min-SE", "", _ONCE),  # RFC 4028
    ("Organization", "", _ONCE),
    ("Path", "", _LIST),  # RFC 3327
    ("Priority", "", _ONCE),
    ("Proxy-Authenticate", "", _REPEATED),
    ("Proxy-Authorization", "", _REPEATED),
    ("Proxy-Require", "", _LIST),
    ("RAck", "", _ONCE),  # RFC 3262
    ("Reason", "", _LIST),  # RFC 3326
    ("Record-Route", "", _LIST),
    ("Refer-To", "r", _ONCE),  # RFC 3515
    ("Refer-Sub", "", _ONCE),  # RFC 4488
    ("Referred-By", "b", _ONCE),  # RFC 3892
    ("Reject-Contact", "j", _LIST),  # RFC 3841
    ("Replaces", "", _ONCE),  # RFC 3891
    ("Reply-To", "", _ONCE),
    ("Request-Disposition", "d", _LIST),  # RFC 3841
    ("Require", "", _LIST),
    ("Retry-After", "", _ONCE),
    ("Route", "", _LIST),
    ("RSeq", "", _ONCE),  # RFC 3262
    ("Server", "", _ONCE),
    ("Service-Route", "", _LIST),  # RFC 3608
    ("Session-Expires", "x", _ONCE),  # RFC 4028
    ("Subject", "s", _ONCE),
    ("Subscription-State", "", _ONCE),  # RFC 6665
    ("Supported", "k", _LIST),
    ("Timestamp", "", _ONCE),
    ("To", "t", _ONCE),
    ("Unsupported", "", _LIST),
    ("User-Agent", "", _ONCE),
    ("Via", "v", _LIST),
    ("Warning", "", _LIST),
    ("WWW-Authenticate", "", _REPEATED),
)

_NAMES: dict[str, str] = {}
"""Every way to write a known name that peers use, to its full name."""
for _name, _compact, _ in FIELDS:
    _NAMES.update(dict.fromkeys((_name, _name.lower(), _name.upper()), _name))
    if _compact:
        _NAMES.update({_compact: _name, _compact.upper(): _name})
_OCCURRENCE = {name: occurrence for name, _, occurrence in FIELDS}


def canonical(name: str) -> str:
    """Give the name under which a header field is kept: a known one's full name, any other in lower case."""
    return _NAMES.get(name) or _NAMES.get(lower := name.lower(), lower)


class Headers:
    """The header fields of one message, in order."""

    __slots__ = ("_by_name", "_items", "revision")

    def __init__(self, items: tuple[tuple[str, str], ...] | list[tuple[str, str]] = ()) -> None:
        self._items: list[tuple[str, str]] = []
        self._by_name: dict[str, list[str]] = {}
        self.revision = 0
        """Changes whenever a header field does: what was made from the old ones is then out of date."""
        for name, value in items:
            self.add(name, value)

    def get(self, name: str) -> str | None:
        """Give the first field's whole value, or None."""
        values = self._by_name.get(name) or self._by_name.get(canonical(name))
        return values[0] if values else None

    def lines(self, name: str) -> list[str]:
        """Give the whole value of each field of that name, in order, never split."""
        return list(self._by_name.get(canonical(name), ()))

    def all(self, name: str) -> list[str]:
        """Give all values of that name in order, lists split at their commas; an empty list field has none."""
        key = canonical(name)
        values = self._by_name.get(key, [])
        if _OCCURRENCE.get(key) is not _LIST:
            return list(values)
        return [part for value in values for part in split_list(value)]

    def add(self, name: str, value: str) -> None:
        """Put a field after all others."""
        key = canonical(name)
        self._check(name, value)
        self._items.append((key if key in _OCCURRENCE else name, value))
        self._by_name.setdefault(key, []).append(value)
        self.revision += 1

    def add_parsed(self, name: str, value: str) -> bool:
        """Put a received field after all others, its name as it was written; False when that is no name."""
        key = _NAMES.get(name)
        if key is None:
            name = name.rstrip(SPACE)  # RFC 3261 7.3.1: white space may stand before the colon.
            if not is_token(name):
                return False
            key = canonical(name)
        # A name that isn't known is kept as it was written.
        self._items.append((key if key in _OCCURRENCE else name, value))
        values = self._by_name.get(key)
        if values is None:
            self._by_name[key] = [value]
        else:
            values.append(value)
        self.revision += 1
        return True

    def prepend(self, name: str, value: str) -> None:
        """Put a field before all others."""
        key = canonical(name)
        self._check(name, value)
        self._items.insert(0, (key if key in _OCCURRENCE else name, value))
        self._by_name.setdefault(key, []).insert(0, value)
        self.revision += 1

    def set(self, name: str, value: str) -> None:
        """Give the field this value, where the first of its name stands, or at the end; others of that name go."""
        key = canonical(name)
        self._check(name, value)
        if key not in self._by_name:
            self.add(name, value)
            return
        items, placed = [], False
        for item in self._items:
            if canonical(item[0]) != key:
                items.append(item)
            elif not placed:
                items.append((item[0], value))
                placed = True
        self._items, self._by_name[key] = items, [value]
        self.revision += 1

    def remove(self, name: str) -> None:
        """Take all fields of that name away; none is fine."""
        key = canonical(name)
        if self._by_name.pop(key, None) is not None:
            self._items = [item for item in self._items if canonical(item[0]) != key]
            self.revision += 1

    def duplicates(self) -> list[str]:
        """Give the names that stand more than once but must not (RFC 3261 7.3.1)."""
        return [name for name, values in self._by_name.items() if len(values) > 1 and _OCCURRENCE.get(name) is _ONCE]

    def copy(self) -> Headers:
        """Give the same header fields in an object of their own."""
        headers = Headers()
        headers._items = list(self._items)
        headers._by_name = {name: list(values) for name, values in self._by_name.items()}
        return headers

    def __contains__(self, name: str) -> bool:
        return canonical(name) in self._by_name

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return self._items == other._items if isinstance(other, Headers) else NotImplemented

    def __repr__(self) -> str:
        return f"Headers({self._items!r})"

    def _check(self, name: str, value: str) -> None:
        if "\n" in value or "\r" in value or not is_token(name):
            raise LocalProtocolError(f"header field {name!r} can't have the value {value!r}")
