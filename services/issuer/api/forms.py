"""OAuth requests: form bodies (RFC 6749 appendix B) and client credentials (section 2.3.1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote_plus

from services.issuer.api.bodies import is_plain
from services.problems import Problem

_FORM = "application/x-www-form-urlencoded"
_FIELDS = 50
_BASIC_CHALLENGE = {"WWW-Authenticate": 'Basic realm="rescind", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a client named itself; `secret` is None for a public client, which shows none."""

    client_id: str
    secret: str | None = field(repr=False)


def parse_form(content_type: str, body: bytes) -> dict[str, str]:
    """The parameters, without the empty ones (section 3.1: as if omitted). Problem 400 `invalid_request`."""
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise malformed("The body must be application/x-www-form-urlencoded.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError:  # also bytes that are no ASCII, escapes that are no UTF-8, and too many fields
        raise malformed("The body is no form.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise malformed("A parameter stands there more than once.")
    if not all(is_plain(name) and is_plain(value) for name, value in pairs):
        raise malformed("A parameter has a NUL.")
    return {name: value for name, value in pairs if value}


def credentials(authorization: Sequence[str], form: Mapping[str, str]) -> Credentials | None:
    """Who calls: by Basic or in the form, never both; None when nobody is named.

    `authorization` are the values of all Authorization headers. Problem 400 `invalid_request` for two methods at once, 401
    `invalid_client` for a header that cannot be read.
    """
    if not authorization:
        return Credentials(form["client_id"], form.get("client_secret")) if "client_id" in form else None
    if len(authorization) > 1 or "client_secret" in form:
        raise malformed("The client must authenticate in one way.")
    found = _basic(authorization[0])
    if found is None:
        raise invalid_client()
    if form.get("client_id", found.client_id) != found.client_id:
        raise malformed("The header and the form name different clients.")
    return found


def required(form: Mapping[str, str], name: str) -> str:
    """A parameter that must be there; Problem 400 `invalid_request`."""
    if name not in form:
        detail = f"The parameter {name} is missing."
        raise malformed(detail)
    return form[name]


def malformed(detail: str) -> Problem:
    """RFC 6749 section 5.2, `invalid_request`."""
    return Problem(400, "invalid_request", detail)


def invalid_client() -> Problem:
    """RFC 6749 section 5.2, `invalid_client`."""
    return Problem(401, "invalid_client", "The client is unknown or its secret is wrong.", headers=_BASIC_CHALLENGE)


def _basic(header: str) -> Credentials | None:
    """RFC 7617; id and secret are each form-url-encoded before base64 (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = text.partition(":")
        client_id, secret = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError):
        return None
    if not colon or not client_id or not is_plain(client_id + secret):
        return None
    return Credentials(client_id, secret)
