"""The roads between the rooms where all of them are one process: function calls, and reads of the other's log."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter

from eventlog.projecting import Lag, run
from eventlog.relay import Relay
from rescind.claims import Claims
from rescind.errors import Denied
from rescind.events.registry import may_touch_list
from rescind.position import Position
from rescind.vocabulary import Reason, TargetType
from services.anomaly.ports import Capped, Command, Refused, Revoke
from services.anomaly.service import NAME as ANOMALY
from services.issuer.wiring import Issuer
from services.principal import Principal
from services.revocation import errors
from services.revocation.decisions.commands import MakeRevocation
from services.revocation.intake import DirectSink
from services.revocation.making import Revocations
from services.revocation.service import Revocation
from services.runtime import Loop, Service

_AUTOMATED = Principal(ANOMALY, ANOMALY, None, -1, frozenset({"revocations:automated"}))


@dataclass(slots=True)
class Roads:
    """The express road from the issuer to the list, and the way back."""

    issuer: Issuer
    revocation: Revocation
    relay: Relay = field(init=False)
    lag: Lag | None = None
    epoch: int = field(init=False)

    def __post_init__(self) -> None:
        iss = self.issuer.settings.iss
        self.epoch = self.revocation.log.head()[0].epoch
        self.relay = Relay(
            self.issuer.log,
            DirectSink(self.revocation.intake, iss),
            iss=iss,
            cursor_name="express",
            carries=may_touch_list,
            applied=self.issuer.following.applied,
            live_sessions=self.issuer.live_sessions,
            on_restored=self._restored,
        )

    def service(self) -> Service:
        """As a part of the process, without endpoints."""
        loops = (Loop("express road", self.relay.run), Loop("way back", self._follow))
        return Service("roads", APIRouter(), loops, self._ready)

    def _ready(self) -> Mapping[str, str]:
        missing = {}
        if self.relay.trouble:
            missing["express road"] = f"What the issuer says does not reach the list: {self.relay.trouble}."
        if self.lag is None or not self.lag.caught_up:
            why = self.lag.trouble if self.lag and self.lag.trouble else "old ones are still being read"
            missing["way back"] = f"Revocations from outside do not reach the issuer's records: {why}."
        return missing

    def _follow(self, stop: threading.Event) -> None:
        run(self.revocation.log, self.issuer.following, stop, report=self._report)

    def _report(self, lag: Lag) -> None:
        self.lag = lag
        standing = self.revocation.projector.standing
        if standing is not None and standing.head.epoch > self.epoch:
            self.epoch = standing.head.epoch
            self._restored(self.issuer.log.head()[0])

    def _restored(self, position: Position) -> None:
        """The log was put back to an older state; `position`: how far it had come at least.

        A witness of that is the list's own database, too: the two stand on one disk, or in one PostgreSQL.
        """
        self.issuer.log.raise_epoch(above=position.epoch)
        self.issuer.restored()


def both_checks(issuer: Issuer, revocation: Revocation, token: str) -> Claims | Denied:
    """Judge an access token at our own endpoints by the issuer's records and by the list, whichever knows first."""
    claims = issuer.access.check(token)
    return claims if isinstance(claims, Denied) else revocation.judge(claims) or claims


def revoke_directly(revocations: Revocations, iss: str) -> Revoke:
    """`POST /v1/revocations` of the anomaly service, as a call under the same caps."""

    def revoke(command: Command) -> str:
        asked = MakeRevocation(
            target_type=TargetType.SESSION,
            target_id=command.sid,
            iss=iss,
            effect=command.effect,
            reason=Reason.ANOMALY,
            note=command.note,
            idempotency_key=command.finding_id,
        )
        try:
            return revocations.make(asked, _AUTOMATED).revocation.first.revocation_id
        except errors.Capped as capped:
            raise Capped(capped.over.retry_after) from capped
        except errors.RevocationError as refused:
            raise Refused(str(refused)) from refused

    return revoke
