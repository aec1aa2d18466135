"""Records of the session log as the anomaly service reads them, written short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eventlog.port import Event, Recorded
from rescind.events.personal import Personal
from rescind.events.registry import AnyEvent, decode_personal, encode, encode_personal
from rescind.events.session import RefreshTokenReused, TokenIssued, TokenRefreshed, TokenReplayed
from rescind.events.subject import SubjectForgotten
from rescind.position import Position
from services.anomaly.detector import Sighting

DAY = 86_400_000
HOME = Personal(ip="198.51.100.7", browser="Safari", os="iOS", device="phone")
OFFICE = Personal(ip="203.0.113.9", browser="Safari", os="iOS", device="phone")  # the same phone elsewhere
LAPTOP = Personal(ip="198.51.100.8", browser="Firefox", os="Linux", device="laptop")  # another device at home
THIEF = Personal(ip="192.0.2.66", browser="Chrome", os="Windows", device="thief")
NOBODY = Personal()
HIDDEN = Personal(ip="10.0.0.7", browser="Chrome", os="Windows", device="thief")  # a private network says nothing


@dataclass
class SessionStory:
    """Counts positions, versions and time up; every record is a second after the last."""

    records: list[Recorded] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    time: int = 1_800_000_000_000

    def issued(self, sid: str, where: Personal | None, subject: str = "s1") -> Recorded:
        event = TokenIssued(
            sid=sid,
            sn=len(self.versions),
            client_id="first-party",
            auth_time=self.time // 1000,
            expires=self.time + 7 * DAY,
            remember_me=False,
            cv=0,
            scope="",
            bind_ip="off",
            bind_device="off",
            context_known=where is not None,
        )
        return self.record(sid, subject, event, where)

    def refreshed(self, sid: str, where: Personal | None, subject: str = "s1") -> Recorded:
        event = TokenRefreshed(sid=sid, sn=1, generation=1, expires=self.time + 7 * DAY, cv=0, context_known=where is not None)
        return self.record(sid, subject, event, where)

    def replayed(self, sid: str, where: Personal | None, subject: str = "s1") -> Recorded:
        event = TokenReplayed(sid=sid, sn=1, generation=1, late=True, context_known=where is not None)
        return self.record(sid, subject, event, where)

    def reused(self, sid: str, where: Personal | None, subject: str = "s1") -> Recorded:
        event = RefreshTokenReused(sid=sid, sn=1, presented=1, generation=2, cause="child_used", revocation_id=f"r-{sid}")
        return self.record(sid, subject, event, where)

    def forgotten(self, subject: str = "s1") -> Recorded:
        return self.record("", subject, SubjectForgotten(by="admin:1"), None)

    def record(self, sid: str, subject: str, event: AnyEvent, where: Personal | None) -> Recorded:
        self.time += 1000
        stream = f"session-{sid}" if sid else f"subject-{subject}"
        version = self.versions[stream] = self.versions.get(stream, 0) + 1
        wire, data = encode(event)
        sealed = encode_personal(where) if where is not None else b""
        place = len(self.records) + 1
        written = Event(id=f"e{place}", type=wire, time=self.time, subject=subject, session=sid, data=data, personal=sealed)
        recorded = Recorded(stream, version, written, Position(1, place))
        self.records.append(recorded)
        return recorded


@dataclass
class OpenKeys:
    """The `SubjectKeys` port over personal parts that are not sealed at all; forgotten subjects are closed."""

    gone: set[str] = field(default_factory=set)

    def open(self, sightings: Sequence[Sighting]) -> Sequence[Personal | None]:
        return [decode_personal(each.sealed) if each.sealed and each.subject not in self.gone else None for each in sightings]

    def forget(self, subject: str) -> None:
        self.gone.add(subject)
