from __future__ import annotations

import re
from typing import Any

import msgspec
from simple_web import Web, on_web

from firmware.web.api import OPERATIONS
from firmware.web.openapi import document


def references(node: Any) -> set[str]:
    """All that a document refers to."""
    if isinstance(node, dict):
        return {node["$ref"]} if "$ref" in node else set().union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_every_operation_is_described() -> None:
    described = document()
    operations = [o for path in described["paths"].values() for o in path.values()]
    assert {o["operationId"] for o in operations} == {o.name for o in OPERATIONS}
    for operation in OPERATIONS:
        entry = described["paths"][operation.path][operation.method.lower()]
        assert str(operation.status) in entry["responses"]
        assert all(response["description"] for response in entry["responses"].values())
        assert {p["name"] for p in entry.get("parameters", []) if p["in"] == "path"} == set(
            re.findall(r"{(\w+)}", operation.path)
        )


def test_every_reference_leads_somewhere() -> None:
    described = document()
    found = references(described)
    assert len(found) > 5
    for reference in found:
        node = described
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_limits_are_described() -> None:
    described = document()
    assert described["components"]["schemas"]["Volume"]["properties"]["volume"]["maximum"] == 100
    sizes = {p["name"]: p["schema"] for p in described["paths"]["/screen.png"]["get"]["parameters"]}
    assert sizes["width"]["maximum"] == 1920


def test_what_answers_nothing_describes_nothing() -> None:
    described = document()
    for operation in OPERATIONS:
        entry = described["paths"][operation.path][operation.method.lower()]
        said = operation.response is not None or operation.content != "application/json"
        assert ("content" in entry["responses"][str(operation.status)]) is said, operation.name


def test_what_needs_no_password_says_so() -> None:
    described = document()
    assert described["paths"]["/session"]["post"]["security"] == []
    assert "security" not in described["paths"]["/state"]["get"]


@on_web
async def test_it_is_served(web: Web) -> None:
    status, served = await web.ask("GET", "/openapi.json")
    assert status == 200
    assert served == msgspec.json.decode(msgspec.json.encode(document()))
    assert served["openapi"].startswith("3.1")


@on_web
async def test_what_is_answered_is_what_is_described(web: Web) -> None:
    web.dialled()
    schemas = document()["components"]["schemas"]
    _, state = await web.ask("GET", "/state")
    assert set(state) == set(schemas["Room"]["properties"])
    assert set(state["calls"][0]) == set(schemas["Call"]["properties"])
    assert state["calls"][0]["state"] in schemas["State"]["enum"]


@on_web
async def test_every_refusal_is_described(web: Web) -> None:
    paths = document()["paths"]
    for operation in OPERATIONS:
        path = re.sub(r"{\w+}", "999", operation.path)
        if path == "/screen.mjpeg":
            continue
        for options in ({}, {"data": b"{"}, {"data": b"x" * 20_000}, {"params": {"width": "x"}}):
            async with web.session.request(operation.method, f"{web.url}/api/v1{path}", **options) as response:
                described = paths[operation.path][operation.method.lower()]["responses"]
                assert str(response.status) in described, (operation.name, response.status)
                if response.status >= 400:
                    assert set(await response.json()) == {"error"}
