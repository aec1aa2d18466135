"""What is wrong with a server's certificate, from the text of the error: libraries wrap OpenSSL's own and keep only that."""

from __future__ import annotations

_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_OTHER_NAME = ("Hostname mismatch", "IP address mismatch")


def certificate_trouble(text: str) -> str:
    """What follows on the server's name in a sentence; empty where it is something else."""
    if _UNTRUSTED not in text:
        return ""
    if any(each in text for each in _OTHER_NAME):
        return "has a certificate for another name than that of its address"
    return "has a certificate that is not trusted"
