"""/v1/findings: what was seen, why it was taken for a theft, and what was done about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from services.access import Access
from services.anomaly.detector import Finding, Sighting
from services.anomaly.evidence import evidence, headline
from services.anomaly.opening import opened
from services.anomaly.store import AnomalyStore, Filed
from services.described import COMMON, problems
from services.principal import Principal
from services.times import iso

Disclose = Callable[[Sequence[str], str], Mapping[str, bytes]]
"""(subjects' log ids, who reads) -> their keys, audited."""


class FindingView(BaseModel):
    """`evidence` is null without the scope `log:personal`. `revocation_id` is null until there is one."""

    id: str
    rule: str
    time: str
    sid: str
    headline: str
    evidence: str | None
    action: str
    revocation_id: str | None
    refusal: str | None


class FindingPage(BaseModel):
    """In the order in which they were made; `next` goes into `after`, null at the end."""

    findings: list[FindingView]
    next: str | None


def routes(store: AnomalyStore, access: Access, disclose: Disclose) -> APIRouter:
    """Read findings."""
    api = APIRouter(tags=["machines"], responses=problems(COMMON, 400, 401, 403, 503))

    @api.get("/v1/findings")
    def findings(
        caller: Annotated[Principal, Depends(access.require("log:read"))],
        after: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        sid: Annotated[str, Query(max_length=64)] = "",
    ) -> FindingPage:
        """A page of findings. With `log:personal` the evidence is decrypted, and that is audited."""
        filed = store.findings(after=after, limit=limit + 1, sid=sid)
        page = filed[:limit]
        told = _told(page, disclose, _reader(caller)) if caller.has("log:personal") else [None] * len(page)
        views = [_view(each, words) for each, words in zip(page, told, strict=True)]
        return FindingPage(findings=views, next=str(page[-1].number) if len(filed) > limit else None)

    return api


def _reader(caller: Principal) -> str:
    return f"session:{caller.sid}" if caller.sid else f"client:{caller.client_id}"


def _told(page: Sequence[Filed], disclose: Disclose, reader: str) -> list[str]:
    subjects = sorted({each.finding.subject for each in page})
    keys = disclose(subjects, reader) if subjects else {}
    return [evidence(_opened(each.finding, keys)) for each in page]


def _opened(finding: Finding, keys: Mapping[str, bytes]) -> Finding:
    def told(sighting: Sighting) -> Sighting:
        return replace(sighting, personal=opened(sighting, keys))

    return replace(finding, now=told(finding.now), before=told(finding.before) if finding.before else None)


def _view(filed: Filed, words: str | None) -> FindingView:
    finding = filed.finding
    return FindingView(
        id=finding.id,
        rule=finding.rule,
        time=iso(finding.time),
        sid=finding.sid,
        headline=headline(finding),
        evidence=words,
        action=filed.action,
        revocation_id=finding.revocation_id or None,
        refusal=filed.refusal or None,
    )
