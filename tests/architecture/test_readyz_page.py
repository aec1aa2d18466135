"""Who asks a process of the cluster in a test checks that the page explains each line: kit.cluster. Here is who checks that."""

import pytest
from kit.readyz_page import unexplained


@pytest.mark.parametrize(
    "line",
    [
        "issuer: start",
        "relay: database",
        "revocation: source https://issuer.example:8443",
        "revocation: facts of https://issuer.example",
        "anomaly: sessions 3 of 4",
        "issuer: way back",
        "issuer sweep",
    ],
)
def test_a_line_of_the_page_is_explained(line: str) -> None:
    assert unexplained([line]) == []


@pytest.mark.parametrize("line", ["issuer: weather", "anomaly: sessions many of 4", "revocation: source", "relay: express"])
def test_another_is_not(line: str) -> None:
    assert unexplained([line]) == [line]
