"""A finding in words, for people. Derived from the sealed sightings when somebody reads it, and stored nowhere in clear."""

from __future__ import annotations

from rescind.events.personal import Personal
from services.anomaly.comparing import network
from services.anomaly.detector import Finding, Rule

_MOVED = "A refresh came from another network and another device than the one before it"
_REUSED = {
    "child_used": "A refresh token came back after the one that replaced it had been used, so two parties hold copies",
    "other_device": "A refresh token that had been replaced came back from another device",
    "late": "The answer to a rotation was asked for again, late, for the third rotation in a row",
    "older": "A refresh token older than the last two came back",
}
_UNTOLD = "Where it came from is unknown, private or forgotten."


def headline(finding: Finding) -> str:
    """One sentence without anything personal: it may stand in a revocation's note."""
    what = _MOVED if finding.rule is Rule.MOVED else _REUSED.get(finding.cause, "A replaced refresh token came back")
    return f"{what}."


def evidence(finding: Finding) -> str:
    """The whole story, with networks and devices as far as their keys still exist. Personal: only for `log:personal`."""
    now = finding.now.personal
    before = finding.before.personal if finding.before else None
    if now is None:
        return f"{headline(finding)} {_UNTOLD}"
    if finding.before is None or before is None:
        return f"{headline(finding)} It came from {_whereabouts(now)}."
    earlier = _earlier(finding.now.time - finding.before.time)
    return f"{headline(finding)} It came from {_whereabouts(now)}; {earlier} the session was seen from {_whereabouts(before)}."


def _whereabouts(personal: Personal) -> str:
    net = network(personal.ip)
    provider = f" (AS{personal.asn})" if personal.asn is not None else ""
    place = f" in {personal.place}" if personal.place else ""
    where = f"the network {net}{provider}{place}" if net else "an unknown or private network"
    return f"{where} with {_device(personal)}"


def _device(personal: Personal) -> str:
    name = " on ".join(each for each in (personal.browser, personal.os) if each)
    return name or ("a device that names itself only by its id" if personal.device else "an unknown device")


def _earlier(ms: int) -> str:
    seconds = ms / 1000
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {unit}{'s' if count != 1 else ''} earlier"
    return "a moment earlier"
