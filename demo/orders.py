"""A resource server in FastAPI: the middleware, and dependencies that ask for scopes. `python -m demo.orders --help`."""

from __future__ import annotations

from fastapi import FastAPI, Response

from demo.serving import serve
from rescind.asgi import App, RescindMiddleware
from rescind.fastapi import CurrentSession, require
from rescind.verifier import Verifier


def make_app(verifier: Verifier) -> App:
    """Two routes; one needs a live session with a scope."""
    app = FastAPI(title="orders")
    app.add_middleware(RescindMiddleware, verifier=verifier, paths={"/readyz": "open"})

    @app.get("/readyz")
    def ready() -> Response:
        """Whether tokens can be accepted yet."""
        return Response(status_code=204 if verifier.ready else 503)

    @app.get("/mine", dependencies=[require("orders:read")])
    def mine(session: CurrentSession) -> dict[str, object]:
        """Whoever comes this far has a live session."""
        return {"orders": ["two oars", "a lantern"], "session": session.sid}

    return app


if __name__ == "__main__":
    serve("orders", make_app)
