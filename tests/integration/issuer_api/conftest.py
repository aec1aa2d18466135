from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from kit.issuer_http import Issuer, serving_issuer


@pytest.fixture(scope="module")
def served() -> Iterator[Issuer]:
    with serving_issuer() as issuer:
        yield issuer


@pytest.fixture
def issuer(served: Issuer) -> Issuer:
    """The served issuer with nothing scripted."""
    served.script.error = None
    served.script.calls.clear()
    served.log.entries.clear()
    served.sessions.generation = 1
    return served


@pytest.fixture(scope="module")
def connection(served: Issuer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url, timeout=10) as client:
        yield client


@pytest.fixture
def http(connection: httpx.Client, issuer: Issuer) -> httpx.Client:  # noqa: ARG001  (nothing is scripted)
    """A client without cookies of its own: each request brings what the test says."""
    connection.cookies.clear()
    return connection
