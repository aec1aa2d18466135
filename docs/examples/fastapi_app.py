"""A FastAPI service that refuses revoked sessions. Run it: `uvicorn fastapi_app:app`."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Response

from rescind import Verifier
from rescind.asgi import RescindMiddleware
from rescind.fastapi import CurrentSession, require
from rescind.metrics import exposition

verifier = Verifier(
    issuers="http://127.0.0.1:8000",
    audience="rescind",
    feed="http://127.0.0.1:8000",
    credential=Path("verifier.credential").read_text().strip(),
)

app = FastAPI()
app.add_middleware(
    RescindMiddleware,
    verifier=verifier,
    paths={"/readyz": "open", "/metrics": "open", "/catalogue": "best_effort"},
)


@app.get("/me")
def me(session: CurrentSession) -> dict[str, object]:
    return {"sub": session.sub, "scope": sorted(session.scope)}


@app.get("/catalogue")
def catalogue() -> list[str]:
    return ["tea", "coffee"]


@app.post("/payments", dependencies=[require("payments:write")])
def pay() -> dict[str, bool]:
    return {"paid": True}


@app.get("/readyz")
def ready(response: Response) -> dict[str, bool]:
    response.status_code = 200 if verifier.ready else 503
    return {"ready": verifier.ready}


@app.get("/metrics")
def metrics() -> Response:
    return Response(exposition(verifier.metrics()), media_type="text/plain; version=0.0.4")
