"""A Django service in one file that refuses revoked sessions. Run it: `gunicorn --preload django_app:application`."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from rescind import Verifier
from rescind.django import Request, current_session, require
from rescind.wsgi import RescindMiddleware

verifier = Verifier(
    issuers="http://127.0.0.1:8000",
    audience="rescind",
    feed="http://127.0.0.1:8000",
    credential=Path("verifier.credential").read_text().strip(),
)

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], MIDDLEWARE=["django.middleware.common.CommonMiddleware"])


def me(request: Request) -> JsonResponse:
    session = current_session(request)
    return JsonResponse({"sub": session.sub if session else None})


@csrf_exempt
@require("payments:write")
def pay(_request: Request) -> JsonResponse:
    return JsonResponse({"paid": True})


def ready(_request: Request) -> JsonResponse:
    return JsonResponse({"ready": verifier.ready}, status=200 if verifier.ready else 503)


urlpatterns = [path("me", me), path("payments", pay), path("readyz", ready)]

application = RescindMiddleware(get_wsgi_application(), verifier=verifier, paths={"/readyz": "open"})
