"""Fetch a key set over HTTP with the standard library. No redirect is followed: the address comes from configuration alone."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

_TIMEOUT = 2.0  # seconds for connecting and for each read
_LARGEST = 256 * 1024


def fetch_key_set(url: str, tls: ssl.SSLContext | None = None) -> bytes:
    """`GET` the key set; OSError if that fails or the answer is anything but a 200 of at most 256 KB."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise OSError("the key set's address has no host")
    if parts.scheme == "https":
        context = tls or ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=_TIMEOUT, context=context
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_TIMEOUT)
    try:
        connection.request("GET", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", headers={"Accept": "*/*"})
        response = connection.getresponse()
        body = response.read(_LARGEST + 1)
    except http.client.HTTPException as error:
        raise OSError("the key set's address does not speak HTTP") from error
    finally:
        connection.close()
    if response.status != http.client.OK or len(body) > _LARGEST:
        msg = f"the key set's address answered {response.status} with {len(body)} bytes"
        raise OSError(msg)
    return body
