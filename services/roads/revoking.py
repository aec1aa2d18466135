"""The anomaly service's commands, carried to the revocation service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from rescind.vocabulary import Reason, TargetType
from services.anomaly.ports import Capped, Command, Refused
from services.roads.peer import Peer
from services.roads.wire import Answer

_FOR_GOOD: Mapping[tuple[int, str], str] = {
    (HTTPStatus.BAD_REQUEST, "invalid_request"): "the revocation service finds the command malformed",
    (HTTPStatus.CONFLICT, "idempotency_conflict"): "the revocation service knows another command by this finding's id",
}
_FIELD = re.compile("[a-z_.]{1,40}")


@dataclass(frozen=True, slots=True)
class RemoteRevoke:
    """The `Revoke` port over `POST /v1/revocations` (scope revocations:automated), for sessions of the issuer `iss`."""

    peer: Peer
    iss: str

    def __call__(self, command: Command) -> str:
        """See the port. Only what the revocation service itself refuses is refused; anything else is NoAnswer, and sent again."""
        answer = self.peer.post("/v1/revocations", self._body(command))
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS and answer.code == "capped":
            raise Capped(max(1, answer.retry_after))
        why = _FOR_GOOD.get((answer.status, answer.code))
        if why:
            raise Refused(why + _fields(answer))
        revocation_id = answer.expect(HTTPStatus.CREATED).get("id")
        if not isinstance(revocation_id, str) or not revocation_id:
            raise answer.unreadable("no revocation")
        return revocation_id

    def _body(self, command: Command) -> dict[str, object]:
        return {
            "target": {"type": TargetType.SESSION.value, "id": command.sid, "iss": self.iss},
            "effect": command.effect.value,
            "reason": Reason.ANOMALY.value,
            "note": command.note,
            "idempotency_key": command.finding_id,
        }


def _fields(answer: Answer) -> str:
    """Which of the fields."""
    fields = answer.members.get("fields")
    names = sorted(name for name in fields if _FIELD.fullmatch(name)) if isinstance(fields, dict) else []
    return f": {', '.join(names)}" if names else ""
