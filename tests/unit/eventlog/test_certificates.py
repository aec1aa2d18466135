"""Libraries wrap OpenSSL's error in a text: what is wrong with the certificate is found in it."""

from __future__ import annotations

import pytest

from eventlog.certificates import certificate_trouble

_FAILED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_FAILED + "unable to get local issuer certificate (_ssl.c:1006)", "has a certificate that is not trusted"),
        (_FAILED + "Hostname mismatch, certificate is not valid for 'b'.", "has a certificate for another name"),
        (_FAILED + "IP address mismatch, certificate is not valid for '10.0.0.1'.", "has a certificate for another name"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    assert certificate_trouble(text).startswith(words)


def test_control_another_error_is_not_the_certificates() -> None:
    assert not certificate_trouble("[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred; Hostname mismatch")
