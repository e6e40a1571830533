"""The description of the API: made of the routes themselves, so that it says what they take and give."""

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import Response

from provisioning.web.problems import MEDIA_TYPE, ProblemDocument
from provisioning.web.routing import BEHIND, KEY_HEADER, Route

_DESCRIPTION = """
Orders Microsoft licences for Dutch primary schools, follows them, and lets people decide about them.

Every refusal is a problem document (RFC 9457). Long lists come in pages: `next` of one is the `cursor` of the
following. A POST with an `Idempotency-Key` is carried out once, however often it is sent within a day.
"""
_REF = "#/components/schemas/{name}"
_KEY_PARAMETER = {
    "name": KEY_HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "description": "Chosen by the client, new for each thing it wants done.",
}


def describe(app: FastAPI, routes: Sequence[APIRoute]) -> dict[str, Any]:
    """The document; made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=_DESCRIPTION, routes=app.routes, summary=app.summary
        )
        _complete(document, routes)
        app.openapi_schema = document
    return app.openapi_schema


def answer_of(route: APIRoute) -> Any:
    """What the route's function returns."""
    return get_type_hints(route.endpoint).get("return")


def _complete(document: dict[str, Any], routes: Sequence[APIRoute]) -> None:
    answers = [answer_of(route) for route in routes]
    kinds = [kind for answer in answers for kind in _alternatives(answer) if _is_described(kind)]
    schemas, components = msgspec.json.schema_components(
        [*kinds, ProblemDocument], ref_template=_REF, schema_hook=_plain
    )
    schema_of = dict(zip(map(repr, kinds), schemas, strict=False))
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {}).update(components)
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for route, answer in zip(routes, answers, strict=True):
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            _complete_operation(operation, route, method, [schema_of.get(repr(x)) for x in _alternatives(answer)])


def _complete_operation(
    operation: dict[str, Any], route: APIRoute, method: str, schemas: Sequence[dict[str, Any] | None]
) -> None:
    responses = operation["responses"]
    responses.pop("422", None)
    known = [schema for schema in schemas if schema is not None]
    if known:
        schema = known[0] if len(known) == 1 else {"anyOf": known}
        others = responses.get("200", {}).get("content", {})  # the same in another form
        responses["200"] = {"description": "Done.", "content": {**others, "application/json": {"schema": schema}}}
    if route.path.startswith(BEHIND):
        operation["security"] = [{"token": []}]
        refused = {"schema": {"$ref": _REF.format(name="ProblemDocument")}}
        responses["default"] = {"description": "Refused, and why.", "content": {MEDIA_TYPE: refused}}
    if method == "POST" and isinstance(route, Route):
        operation.setdefault("parameters", []).append(_KEY_PARAMETER)


def _alternatives(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in {Union, UnionType}:
        yield from get_args(kind)
    else:
        yield kind


def _plain(kind: type) -> dict[str, Any]:
    """Plain values of any form, as the fields of a ticket's wish."""
    if kind is object:
        return {"description": "A value of any form."}
    raise NotImplementedError


def _is_described(kind: Any) -> bool:
    """An answer that is written out by the route itself says so there."""
    return kind is not None and not (isinstance(kind, type) and issubclass(kind, Response))
