"""What an application serves, read from its routes: for the docs that are generated, and for tests over every endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from services.access import Require


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One method of one path. `scopes`: any of them suffices; `person`: a signed-in person's token; neither: no access token."""

    path: str
    method: str
    words: str
    scopes: tuple[str, ...] = ()
    person: bool = False

    @property
    def name(self) -> str:
        """`POST /v1/subjects`."""
        return f"{self.method} {self.path}"


def endpoints(app: FastAPI) -> list[Endpoint]:
    """Every endpoint that OpenAPI shows."""
    return sorted(_endpoints(app))


def _endpoints(app: FastAPI) -> Iterator[Endpoint]:
    described = app.openapi()["paths"]
    for context in iter_route_contexts(app.routes):
        path = (context.path_format or "").replace(":path}", "}")
        if not isinstance(context.original_route, APIRoute) or path not in described:
            continue
        needs = list(_needs(context.dependant))
        for method in sorted(context.methods or ()):
            operation = described[path].get(method.lower())
            if operation is None:
                continue
            words = str(operation.get("description") or operation.get("summary") or "").split("\n")[0].rstrip(".")
            scopes = tuple(scope for need in needs for scope in need.scopes)
            yield Endpoint(path, method, words, scopes, any(need.person for need in needs))


def _needs(dependant: Dependant) -> Iterator[Require]:
    for inner in dependant.dependencies:
        if isinstance(inner.call, Require):
            yield inner.call
        yield from _needs(inner)
