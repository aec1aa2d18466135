"""What an application serves, read from its routes: for the docs that are generated, and for tests over every endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from services.access import Require
from services.revocation.api.callers import VerifierOnly


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One method of one path.

    `scopes`: any of them suffices; `person`: a signed-in person's token; `verifier`: a verifier's credential.
    """

    path: str
    method: str
    words: str
    scopes: tuple[str, ...] = ()
    person: bool = False
    verifier: bool = False

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
        asked = list(_asked(context.dependant))
        needs = [each for each in asked if isinstance(each, Require)]
        verifier = any(isinstance(each, VerifierOnly) for each in asked)
        for method in sorted(context.methods or ()):
            operation = described[path].get(method.lower())
            if operation is None:
                continue
            words = str(operation.get("description") or operation.get("summary") or "").split("\n")[0].rstrip(".")
            scopes = tuple(scope for need in needs for scope in need.scopes)
            yield Endpoint(path, method, words, scopes, any(need.person for need in needs), verifier)


def _asked(dependant: Dependant) -> Iterator[object]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _asked(inner)
