"""ASN.1 in aligned PER (X.691, BASIC-PER, ALIGNED variant): how H.225.0, H.235 and H.245 are written as bits.

PER sends nothing that both sides know already: no tags, no names, a number in as few bits as its constraint allows, a
list of at most 256 elements behind a count of eight bits.  So nothing can be read without the *schema*, and what a
newer version added stands apart, with its length, so that an older one can skip it.

::

    schema text ──notation──▶ declarations ──reader(), writer()──▶ functions of one type, made when first used
                              Sequence, Choice,                      │
                              Integer, Size ...          bytes ◀── Writer / Reader ──▶ value

=======================  =====================================================================================
`schema`                 types by name: `Schema`, `Type.encode`, `Type.decode`, `Type.decode_all`
`notation`               the language in which types are declared, and its parser
`declaration`            what every kind of type gives
`bits`                   the message as bits (X.691 10.1 to 10.6), and the limits of one message
`whole_number`           whole numbers, lengths, fragments (10.3 to 10.9); `size`: SIZE constraints
`scalar`                 BOOLEAN 11, INTEGER 12, ENUMERATED 13, NULL 17, OBJECT IDENTIFIER 23
`string`, `character`    BIT STRING 15, OCTET STRING 16, open types 10.2; restricted character strings 27
`sequence`               SEQUENCE 18, SET 20; `sequence_of`: SEQUENCE OF 19, SET OF 21; `choice`: CHOICE 22
`extension`              what stands behind an extension marker: 18.7 to 18.9, 22.8
=======================  =====================================================================================

Clauses are those of X.691 (07/2002).  Values are plain Python:

============================  ================================================================================
SEQUENCE, SET                 dict; an absent component has no key, nor has one left out because of its DEFAULT
CHOICE                        ``(name, value)``; ``("+3", bytes)``: the fourth extension, which we don't know
SEQUENCE OF, SET OF           list
INTEGER, BOOLEAN, NULL        int, bool, None
ENUMERATED                    str; "+3": the fourth extension, which we don't know
OCTET STRING, open type       bytes
BIT STRING                    ``(value, number of bits)``
OBJECT IDENTIFIER             str: "0.0.8.2250.0.7"
character strings             str
============================  ================================================================================

What is decoded has the shape that the schema says, and its constraints hold.  What is damaged or hostile gives a
`DecodeError` that says where, after work in proportion to its length: lists, nesting and size are bounded in `bits`.
Components and alternatives that a newer version added are skipped.  Not here, as H.323 has no use for them: REAL,
EMBEDDED PDV, EXTERNAL, times, information objects (an open type is bytes), and the canonical order of SET OF.
"""

from .declaration import Value
from .schema import Schema, Type

__all__ = ["Schema", "Type", "Value"]
