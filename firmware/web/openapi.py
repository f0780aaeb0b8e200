"""The OpenAPI 3.1 document of the API, made from its table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from firmware.web import body
from firmware.web.api import BASE, COOKIE, OPERATIONS, Operation

if TYPE_CHECKING:
    from collections.abc import Sequence

VERSION = "1"
_REASONS = {
    400: "The request is not as described here.",
    401: "A password is needed: by `POST /session` or HTTP Basic (any user name).",
    403: "The request comes from another site, or the password is wrong.",
    404: "There is no such thing.",
    408: "The body did not arrive in time.",
    409: "That makes no sense now.",
    413: "The body is too large.",
    429: "Too many wrong passwords; `Retry-After` says how long to wait.",
    503: "Too many do this at the same time, or the device is not there.",
}


def document(operations: Sequence[Operation] = OPERATIONS) -> dict[str, Any]:
    """Make the document, ready to be written as JSON."""
    structs = {s for o in operations for s in (o.request, o.response) if s is not None} | {body.Error}
    ordered = sorted(structs, key=lambda struct: struct.__name__)
    references, components = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    schemas = dict(zip(ordered, references, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Visavis",
            "version": VERSION,
            "description": "A conference room: calls, sound, camera, the screen. Every refusal is an `Error`.",
        },
        "servers": [{"url": BASE}],
        "security": [{"cookie": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _describe(operation: Operation, schemas: dict[type[msgspec.Struct], dict[str, Any]]) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.query is not None:
        properties = msgspec.json.schema(operation.query)["$defs"][operation.query.__name__]["properties"]
        parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]
    if parameters:
        described["parameters"] = parameters
    if operation.request is not None:
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schemas[operation.request]}},
        }
    if operation.public:
        described["security"] = []
    described["responses"] = _responses(operation, schemas)
    return described


def _responses(operation: Operation, schemas: dict[type[msgspec.Struct], dict[str, Any]]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done." if operation.status == 204 else operation.summary}
    if operation.response or operation.content != "application/json":
        schema = schemas[operation.response] if operation.response else {}
        success["content"] = {operation.content: {"schema": schema}}
    refusals = {403, *operation.refusals}
    if not operation.public:
        refusals.add(401)
        refusals.add(429)
    if operation.request or operation.query:
        refusals.add(400)
    if operation.request:
        refusals |= {408, 413}
    error = {"application/json": {"schema": schemas[body.Error]}}
    responses = {str(operation.status): success}
    return responses | {str(s): {"description": _REASONS[s], "content": error} for s in sorted(refusals)}
