"""The issuer's refusals as HTTP answers: one table, and what OAuth makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from services.issuer import errors
from services.issuer.errors import IssuerError
from services.problems import Problem
from services.times import iso

EXPIRED = "expired"

TABLE: Mapping[type[IssuerError], Problem] = MappingProxyType(
    {
        errors.InvalidToken: Problem(401, "token_not_valid", "Token is invalid or expired."),
        errors.SessionEnded: Problem(401, "token_not_valid", "The session has ended.", reason="session_revoked"),
        errors.SessionSuspended: Problem(403, "session_suspended", "The session has ended; this may be undone. Keep the token."),
        errors.StepUpRequired: Problem(403, "step_up_required", "The session is on hold until a step-up is passed."),
        errors.NoActiveAccount: Problem(401, "no_active_account", "No active account found with the given credentials."),
        errors.WrongPassword: Problem(400, "wrong_password", "The old password is not right."),
        errors.Throttled: Problem(429, "throttled", "Too many failures. Wait, then try again."),
        errors.InvalidRequest: Problem(400, "invalid_request", "The request is malformed."),
        errors.InvalidScope: Problem(400, "invalid_scope", "Scopes beyond what the client has or may give."),
        errors.UnsupportedTokenType: Problem(400, "unsupported_token_type", "This token belongs to no session."),
        errors.Forbidden: Problem(403, "forbidden", "The caller may not do this."),
        errors.NotFound: Problem(404, "not_found", "There is no such thing."),
        errors.Conflict: Problem(409, "conflict", "It exists already, or it changed meanwhile."),
    }
)
"""What `/api/*` and `/v1/*` answer, before the error's own members are filled in."""


def problem_of(error: IssuerError) -> Problem:
    """What `/api/*` and `/v1/*` answer."""
    expired = isinstance(error, errors.SessionEnded) and error.why == EXPIRED
    problem = replace(TABLE[errors.InvalidToken if expired else type(error)])
    match error:
        case errors.InvalidToken():
            problem.reason = error.reason
        case errors.SessionEnded() if expired:
            problem.reason, problem.at = EXPIRED, iso(error.at)
        case errors.SessionEnded() | errors.SessionSuspended():
            problem.why, problem.at = error.why, iso(error.at)
        case errors.StepUpRequired():
            problem.at = iso(error.at)
        case errors.Throttled():
            problem.headers = {"Retry-After": str(error.retry_after)}
        case errors.InvalidRequest():
            problem.fields = error.fields
        case errors.Forbidden() | errors.Conflict() if str(error):
            problem.detail = str(error)
    return problem


def oauth_problem_of(error: IssuerError) -> Problem:
    """What `/oauth/*` answers (RFC 6749 section 5.2): a refresh token that cannot be used is an invalid grant."""
    problem = problem_of(error)
    match error:
        case errors.InvalidToken() | errors.SessionEnded() | errors.SessionSuspended() | errors.StepUpRequired():
            return replace(problem, status=400, code="invalid_grant", reason=problem.reason or problem.code)
        case errors.Forbidden():
            return replace(problem, status=400, code="unauthorized_client")
        case errors.NotFound():
            return replace(problem, status=400, code="invalid_request")
    return problem
