"""A Flask service that refuses revoked sessions. Run it: `gunicorn --preload flask_app:app`."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response

from rescind import Verifier
from rescind.flask import current_session, require
from rescind.metrics import exposition
from rescind.wsgi import RescindMiddleware

verifier = Verifier(
    issuers="http://127.0.0.1:8000",
    audience="rescind",
    feed="http://127.0.0.1:8000",
    credential=Path("verifier.credential").read_text().strip(),
)

app = Flask(__name__)
app.wsgi_app = RescindMiddleware(app.wsgi_app, verifier=verifier, paths={"/readyz": "open", "/metrics": "open"})  # type: ignore[method-assign]


@app.get("/me")
def me() -> dict[str, object]:
    session = current_session()
    return {"sub": session.sub if session else None}


@app.post("/payments")
@require("payments:write")
def pay() -> dict[str, bool]:
    return {"paid": True}


@app.get("/readyz")
def ready() -> tuple[dict[str, bool], int]:
    return {"ready": verifier.ready}, 200 if verifier.ready else 503


@app.get("/metrics")
def metrics() -> Response:
    return Response(exposition(verifier.metrics()), mimetype="text/plain")
