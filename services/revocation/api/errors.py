"""The revocation service's refusals as HTTP answers: one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from eventlog.relay import OtherHistory, PositionConflict
from services.problems import Problem
from services.revocation import errors
from services.revocation.decisions.facts import UnreadableFact

_SOON = {"Retry-After": "1"}

Refusal = errors.RevocationError | PositionConflict | UnreadableFact

TABLE: Mapping[type[Exception], Problem] = MappingProxyType(
    {
        errors.InvalidRevocation: Problem(400, "invalid_request", "The request is malformed."),
        errors.NotYourSource: Problem(403, "not_your_source", "No facts of this issuer are taken from this client."),
        errors.NotFound: Problem(404, "not_found", "There is no such thing."),
        errors.OtherRequest: Problem(409, "idempotency_conflict", "The idempotency key was used for another request."),
        errors.NotLiftable: Problem(409, "not_liftable", "This revocation cannot be lifted."),
        errors.NameTaken: Problem(409, "name_taken", "A verifier of this name exists."),
        PositionConflict: Problem(409, "position_conflict", "The facts do not follow on what is here: go on from the position."),
        OtherHistory: Problem(409, "other_history", "Up to there the log said something else: it was put back."),
        UnreadableFact: Problem(422, "unreadable_fact", "A fact cannot be read. It is never skipped: update this service first."),
        errors.Capped: Problem(429, "capped", "Automated revocations are over their cap."),
        errors.Unsettled: Problem(503, "not_ready", "The list is not ready to be served.", headers=_SOON),
        errors.TooManyReaders: Problem(503, "busy", "Too many snapshots are loading.", headers=_SOON),
    }
)


def problem_of(error: Refusal) -> Problem:
    """What is answered."""
    problem = replace(TABLE[type(error)])
    match error:
        case errors.InvalidRevocation():
            problem.fields = error.fields
        case PositionConflict():
            problem.fields = {"position": str(error.position)}
        case errors.Capped():
            problem.reason = error.over.cap
            problem.headers = {"Retry-After": str(error.over.retry_after)}
        case errors.NotLiftable():
            problem.detail = str(error)
    return problem
