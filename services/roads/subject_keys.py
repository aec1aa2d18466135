"""Subjects' keys from the issuer, for those who may open what is sealed in its log."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from eventlog.sealing import KEY_BYTES
from services.roads.peer import Peer

_MOST = 500


@dataclass(frozen=True, slots=True)
class IssuersKeys:
    """The anomaly service's `KeysFor` and `Disclose` over `POST /v1/subject-keys` (scope log:personal), audited there."""

    peer: Peer

    def __call__(self, subjects: Sequence[str], reader: str = "") -> Mapping[str, bytes]:
        """The keys of these subjects' log ids; those of unknown and forgotten ones are missing. NoAnswer.

        `reader`: for whom, as it shall stand in the issuer's audit beside this service.
        """
        found: dict[str, bytes] = {}
        for begin in range(0, len(subjects), _MOST):
            found |= self._fetch(subjects[begin : begin + _MOST], reader)
        return found

    def _fetch(self, subjects: Sequence[str], reader: str) -> Mapping[str, bytes]:
        answer = self.peer.post("/v1/subject-keys", {"subjects": list(subjects), "reader": reader})
        keys = answer.expect(HTTPStatus.OK).get("keys")
        if not isinstance(keys, dict) or not keys.keys() <= set(subjects):
            raise answer.unreadable("no keys, or keys of others")
        try:
            found = {subject: b64decode(key, validate=True) for subject, key in keys.items()}
        except (TypeError, ValueError):  # no cause is kept: it might quote a key
            raise answer.unreadable("a key that cannot be read") from None
        if any(len(key) != KEY_BYTES for key in found.values()):
            raise answer.unreadable("a key of another length")
        return found
