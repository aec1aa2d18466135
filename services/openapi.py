"""The OpenAPI document says what is answered: malformed requests are a 400 in the shape of their path, never FastAPI's 422."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI


class Described(FastAPI):
    """FastAPI with a document that fits `services.problems`."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            for path in document["paths"].values():
                for operation in path.values():
                    if operation["responses"].pop("422", None):
                        operation["responses"].setdefault("400", {"description": "`invalid_request`: names the fields."})
            schemas = document.get("components", {}).get("schemas", {})
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        return self.openapi_schema or {}
