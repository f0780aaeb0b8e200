"""Writes types that pycrate has loaded in the notation of `firmware.asn1.notation`.

``python tests/conformance/pycrate_schema.py h225 > firmware/h323/schema/h225.txt`` makes a schema anew; a test compares
what it would write with what is there.
"""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

WIDTH = 120
MODULES = {
    "h235": ("H235", "H235_SECURITY_MESSAGES"),
    "h225": ("H225", "H323_MESSAGES"),
    "h245": ("H245", "MULTIMEDIA_SYSTEM_CONTROL"),
}
"""Our name of a schema: pycrate's module and the class in it."""
ASN1_NAMES = {
    "H235-SECURITY-MESSAGES": "h235",
    "H323-MESSAGES": "h225",
    "MULTIMEDIA-SYSTEM-CONTROL": "h245",
}
PLAIN = {
    "BOOLEAN": "bool",
    "NULL": "null",
    "OBJECT IDENTIFIER": "oid",
    "OPEN_TYPE": "open",
    "OCTET STRING": "octets",
    "BIT STRING": "bits",
    "INTEGER": "int",
    "IA5String": "ia5",
    "BMPString": "bmp",
    "NumericString": "numeric",
    "PrintableString": "printable",
    "GeneralString": "general",
}


def types(schema: str) -> dict[str, Any]:
    """All named types of a schema that are no templates for others, in the order of their names."""
    module, name = MODULES[schema]
    found = getattr(importlib.import_module(f"pycrate_asn1dir.{module}"), name)
    named = {name: getattr(found, name.replace("-", "_")) for name in found._type_}
    return {name: named[name] for name in sorted(named) if not named[name]._param}


def references(declared: Any, schema: str) -> Iterator[str]:
    """Names of the types of the same schema that a type contains."""
    if declared.TYPE in ("SEQUENCE", "SET", "CHOICE"):
        parts = list(declared._cont.values())
    else:
        parts = [declared._cont] if declared.TYPE in ("SEQUENCE OF", "SET OF") else []
    for part in parts:
        name = reference(part, schema)
        if name:
            yield name
        else:
            yield from references(part, schema)


def recursive(schema: str) -> set[str]:
    """Types that can stand within themselves."""
    graph = {name: set(references(declared, schema)) for name, declared in types(schema).items()}

    def reachable(name: str) -> set[str]:
        found: set[str] = set()
        waiting = [name]
        while waiting:
            new = graph.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    return {name for name in graph if name in reachable(name)}


def reference(declared: Any, schema: str) -> str:
    """The name by which this part is declared, if it adds nothing to the type of that name; else ""."""
    if declared._typeref is None or declared.TYPE == "OPEN_TYPE":
        return ""
    target = declared.get_typeref()
    constraints = ("_const_val", "_const_sz", "_const_alpha")
    if target._param or any(getattr(declared, name, None) is not getattr(target, name, None) for name in constraints):
        return ""
    module, name = declared._typeref.called
    return name if ASN1_NAMES[module] == schema else f"{ASN1_NAMES[module]}.{name}"


def constraint(declared: Any) -> str:
    """The size or values of a type, and its alphabet, in parentheses."""
    parts = []
    for limits in (getattr(declared, "_const_val", None), getattr(declared, "_const_sz", None)):
        if limits is None or declared.TYPE == "OPEN_TYPE":
            continue
        lower, upper = limits.lb, limits.ub
        parts.append(str(lower) if lower == upper else f"{lower}..{'' if upper is None else upper}")
        if limits._ev is not None:
            parts.append("...")
    if getattr(declared, "_const_alpha", None) is not None:
        parts.append(f'"{"".join(declared._const_alpha.root)}"')
    return f"({', '.join(parts)})" if parts else ""


def block(opening: str, items: list[str], closing: str) -> str:
    """Put parts in a line, or each in a line of its own."""
    line = f"{opening}{', '.join(items)}{closing}"
    if len(line) <= WIDTH - 40 and "\n" not in line:
        return line
    simple = all("{" not in item and " " not in item for item in items)
    inside = textwrap.fill(", ".join(items), WIDTH - 16, break_on_hyphens=False) if simple else ",\n".join(items)
    return "\n".join((opening, textwrap.indent(inside, "    "), closing))


def notation(declared: Any, schema: str) -> str:
    """The type, by its name if it has one."""
    return reference(declared, schema) or body(declared, schema)


def body(declared: Any, schema: str) -> str:
    """The type as such."""
    kind = declared.TYPE
    if kind in ("SEQUENCE OF", "SET OF"):
        return f"[{notation(declared._cont, schema)}]{constraint(declared)}"
    if kind in ("SEQUENCE", "SET", "CHOICE"):
        assert not declared._ext_group if hasattr(declared, "_ext_group") else True
        names = list(declared._root)
        if declared._ext is not None:
            names += ["...", *declared._ext]
        items = [name if name == "..." else component(name, declared._cont[name], schema) for name in names]
        return block("<", items, ">") if kind == "CHOICE" else block("{", items, "}")
    if kind == "ENUMERATED":
        names = list(declared._root) + (["...", *declared._ext] if declared._ext is not None else [])
        return block("enum(", names, ")")
    return PLAIN[kind] + constraint(declared)


def component(name: str, declared: Any, schema: str) -> str:
    """A component or an alternative."""
    assert declared._def is None
    text = notation(declared, schema)
    return f"{name}{'?' if declared._opt else ''}{'' if text == 'null' else f' {text}'}"


def write(schema: str) -> str:
    """The whole schema."""
    within = recursive(schema)
    return (
        "".join(
            f"{name} = {'recursive ' if name in within else ''}{notation(declared, schema)}\n\n"
            for name, declared in types(schema).items()
        ).rstrip()
        + "\n"
    )


if __name__ == "__main__":
    sys.stdout.write(write(sys.argv[1]))
