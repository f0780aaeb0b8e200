"""Reads the notation in which types are declared.

::

    Name = TYPE                        a definition; it goes on until the next.   # starts a comment
    Name = recursive TYPE              the type can stand within itself

    {a TYPE, b? TYPE, c TYPE = 3}      SEQUENCE or SET; b is OPTIONAL, c has a DEFAULT
    {a TYPE, ..., b? TYPE, [[c, d]]}   with extension additions, two in a group; after another ... the root goes on
    <a TYPE, b, ..., c TYPE>           CHOICE; without a type: NULL
    [TYPE](1..256)                     SEQUENCE OF or SET OF, and its size
    enum(a, b, ..., c)                 ENUMERATED, in the order of the numbers
    bool null oid open                 BOOLEAN, NULL, OBJECT IDENTIFIER, an open type
    int int(0..255) int(1..) int(0..7, ...)     INTEGER; the last can have other values, too
    octets(16) bits(1..32)             OCTET STRING, BIT STRING and their sizes
    ia5(1..128, "0123456789#*,")       a character string, its size, the characters that are permitted
    bmp numeric printable visible universal utf8 general teletex graphic
    Other  h235.Other                  a type defined here; in an imported schema
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from .character import ALPHABETS, OCTET_CODECS, WIDE, CharacterString, OctetText
from .choice import Choice
from .declaration import Declaration, Value
from .scalar import Boolean, Enumerated, Integer, Null, ObjectIdentifier
from .sequence import Addition, Component, Sequence
from .sequence_of import SequenceOf
from .size import Size
from .string import BitString, OctetString, OpenType

_TOKEN: Final = re.compile(r'\s+|#.*|("[^"]*"|\.\.\.|\.\.|-?\d+|[A-Za-z][\w-]*(?:\.[A-Z][\w-]*)?|[][{}<>(),=?])')
_DEFINITION: Final = re.compile(r"^([A-Z][\w-]*) *= *", re.MULTILINE)
_PLAIN: Final[dict[str, Callable[[], Declaration]]] = {
    "bool": Boolean,
    "null": Null,
    "oid": ObjectIdentifier,
    "open": OpenType,
}
_SIZED: Final[dict[str, Callable[[Size], Declaration]]] = {"octets": OctetString, "bits": BitString}


def definitions(text: str) -> dict[str, str]:
    """Split a schema: each name, and the text behind its equals sign."""
    parts = _DEFINITION.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


class Parser:
    """Reads one type."""

    def __init__(self, text: str, refer: Callable[[str], Declaration]) -> None:
        """Take the text of the type, and what gives a type that it refers to by name."""
        self._tokens = _tokens(text)
        self._next = 0
        self._refer = refer

    def definition(self) -> tuple[Declaration, bool]:
        """Give the type, and whether it can stand within itself."""
        recursive = self._take("recursive")
        declaration = self._type()
        if self._next < len(self._tokens):
            raise ValueError(f"{self._peek()!r} behind a type")
        return declaration, recursive

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _pop(self) -> str:
        token = self._peek()
        self._next += 1
        return token

    def _take(self, token: str) -> bool:
        """Whether this token was the next."""
        found = self._peek() == token
        self._next += found
        return found

    def _expect(self, token: str) -> None:
        if not self._take(token):
            raise ValueError(f"{token!r} is wanted, not {self._peek()!r}")

    def _type(self) -> Declaration:
        word = self._pop()
        if word == "{":
            return self._sequence()
        if word == "<":
            return self._choice()
        if word == "[":
            element = self._type()
            self._expect("]")
            return SequenceOf(element, self._size())
        if word == "enum":
            return self._enumerated()
        if word == "int":
            return self._integer()
        if word in _PLAIN:
            return _PLAIN[word]()
        if word in _SIZED:
            return _SIZED[word](self._size())
        if word in OCTET_CODECS:
            return OctetText(word)
        if word in ALPHABETS or word in WIDE:
            return self._character_string(word)
        if "A" <= word.rpartition(".")[2][:1] <= "Z":
            return self._refer(word)
        raise ValueError(f"{word!r} is no type")

    def _sequence(self) -> Sequence:
        root: list[Component] = []
        additions: list[Addition] | None = None
        inside = False
        while not self._take("}"):
            if self._take("..."):
                inside = not inside
                additions = additions or []
            elif inside and additions is not None:
                additions.append(self._addition())
            else:
                root.append(self._component())
            self._separate("}")
        return Sequence(tuple(root), None if additions is None else tuple(additions))

    def _addition(self) -> Addition:
        if not self._take("["):
            return self._component()
        self._expect("[")
        group = []
        while not self._take("]"):
            group.append(self._component())
            self._separate("]")
        self._expect("]")
        return tuple(group)

    def _component(self) -> Component:
        name = self._pop()
        optional = self._take("?")
        declaration = self._null_or_type()
        if self._take("="):
            return Component(name, declaration, optional=True, default=_literal(self._pop()))
        return Component(name, declaration, optional)

    def _choice(self) -> Choice:
        root: list[tuple[str, Declaration]] = []
        extensions: list[tuple[str, Declaration]] | None = None
        while not self._take(">"):
            if self._take("..."):
                extensions = []
            else:
                (root if extensions is None else extensions).append((self._pop(), self._null_or_type()))
            self._separate(">")
        return Choice(tuple(root), None if extensions is None else tuple(extensions))

    def _null_or_type(self) -> Declaration:
        return Null() if self._peek() in (",", "}", ">", "]", "=") else self._type()

    def _separate(self, end: str) -> None:
        if self._peek() != end:
            self._expect(",")

    def _enumerated(self) -> Enumerated:
        root: list[str] = []
        extensions: list[str] | None = None
        self._expect("(")
        while not self._take(")"):
            if self._take("..."):
                extensions = []
            else:
                (root if extensions is None else extensions).append(self._pop())
            self._separate(")")
        return Enumerated(tuple(root), None if extensions is None else tuple(extensions))

    def _integer(self) -> Integer:
        if not self._take("("):
            return Integer()
        lower, upper = self._range()
        extensible = self._extension()
        self._expect(")")
        return Integer(lower, upper, extensible)

    def _size(self) -> Size:
        if not self._take("("):
            return Size()
        size = Size(*self._range(), self._extension())
        self._expect(")")
        return size

    def _character_string(self, kind: str) -> CharacterString:
        size, alphabet = Size(), None
        if self._take("("):
            if not self._peek().startswith('"'):
                size = Size(*self._range(), self._extension())
            if self._peek().startswith('"') or self._take(","):
                alphabet = self._string()
            self._expect(")")
        return CharacterString(kind, size, alphabet)

    def _string(self) -> str:
        text = self._pop()
        if not text.startswith('"'):
            raise ValueError(f"characters are wanted, not {text!r}")
        return text.strip('"')

    def _range(self) -> tuple[int, int | None]:
        lower = int(self._pop())
        if not self._take(".."):
            return lower, lower
        return lower, None if self._peek() in (",", ")") else int(self._pop())

    def _extension(self) -> bool:
        """Whether the marker of an extensible constraint stands here."""
        if self._tokens[self._next : self._next + 2] != [",", "..."]:
            return False
        self._next += 2
        return True


def _tokens(text: str) -> list[str]:
    found = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match:
            raise ValueError(f"{text[position : position + 20]!r} is no part of a type")
        position = match.end()
        if match[1]:
            found.append(match[1])
    return found


def _literal(word: str) -> Value:
    """Read the value of a DEFAULT: a number, true or false, a string, or a name of an enumeration."""
    if word in ("true", "false"):
        return word == "true"
    return int(word) if word.lstrip("-").isdigit() else word.strip('"')
