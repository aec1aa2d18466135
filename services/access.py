"""Who may call what: the table of scopes, and the dependency that an endpoint asks for its caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from rescind.claims import Claims
from rescind.errors import Denial, Denied
from services.principal import ADMIN, Principal
from services.problems import Problem, retry

SCOPES = {
    ADMIN: "everything below",
    "sessions:write": "start sessions for a login of your own, change their claims",
    "subjects:write": "create accounts, disable them, set their scopes and passwords, list their sessions, forget them",
    "clients:write": "register, list and delete OAuth clients, rotate their secrets",
    "keys:write": "rotate the signing keys",
    "revocations:read": "list revocations and read their receipts",
    "revocations:write": "revoke and lift",
    "revocations:automated": "revoke, within the caps for automated callers",
    "verifiers:read": "see the fleet of verifiers and its lag",
    "verifiers:write": "add and remove verifiers",
    "sources:write": "add and remove issuers whose tokens are judged",
    "log:read": "read the session log, without personal data",
    "log:personal": "read the log's personal data, decrypted and audited",
    "log:replicate": "copy the logs byte for byte",
    "facts:write": "send the facts of an issuer's own log to the revocation list",
    "introspect": "ask about tokens of other clients, too",
}

_BEARER = HTTPBearer(auto_error=False, scheme_name="access token")
_AS_THEY_ARE = {Denial.EXPIRED, Denial.SESSION_REVOKED, Denial.TOKEN_REVOKED, Denial.TOKEN_OUTDATED, Denial.KEY_REVOKED}
_SESSION_STATES = {Denial.SESSION_REVOKED, Denial.STEP_UP_REQUIRED}


@dataclass(frozen=True)
class Require:
    """A dependency: the caller, who has one of `scopes` (all callers where it is empty), or a 401 or 403.

    `explain` may raise a better refusal for a token whose session is over or on hold: why, since when, for good or not.
    """

    check: Callable[[str], Claims | Denied]
    scopes: tuple[str, ...] = ()
    person: bool = False
    explain: Callable[[str], None] | None = None

    def __call__(self, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Principal:
        """Run by FastAPI in its thread pool, because the check may read the database."""
        if bearer is None:
            raise Problem(401, "not_authenticated", "An access token is needed.", headers=_challenge())
        claims = self.check(bearer.credentials)
        if isinstance(claims, Denied):
            if self.explain and claims.reason in _SESSION_STATES:
                self.explain(bearer.credentials)
            raise _refusal(claims)
        caller = Principal(claims.sub, claims.client_id, claims.sid, claims.sn, claims.scope)
        if self.person and caller.sid is None:
            raise Problem(403, "forbidden", "Only a signed-in person has this.")
        if self.scopes and not any(caller.has(scope) for scope in self.scopes):
            needed = " ".join(self.scopes)
            raise Problem(
                403,
                "insufficient_scope",
                f"This needs the scope {' or '.join(self.scopes)}.",
                headers=_challenge(error="insufficient_scope", scope=needed),
            )
        return caller


@dataclass(frozen=True)
class Access:
    """Makes the dependencies. `check` judges an access token of this issuer: signature, claims and the session's state.

    `explain` tells signed-in people what became of their session (see Require).
    """

    check: Callable[[str], Claims | Denied]
    explain: Callable[[str], None] | None = None

    def require(self, *scopes: str) -> Require:
        """Callers who have any of these scopes; `admin` has all. ValueError for a scope that is not in the table."""
        unknown = set(scopes) - SCOPES.keys()
        if unknown or not scopes:
            msg = f"not in the table of scopes: {sorted(unknown)}"
            raise ValueError(msg)
        return Require(self.check, scopes)

    @property
    def signed_in(self) -> Require:
        """A person's session, whatever its scopes."""
        return Require(self.check, person=True, explain=self.explain)


def _refusal(denied: Denied) -> Problem:
    if denied.reason in (Denial.STALE, Denial.NOT_READY):
        return retry()
    if denied.reason is Denial.STEP_UP_REQUIRED:
        headers = _challenge(error="insufficient_user_authentication", error_description=denied.detail)
        return Problem(403, "step_up_required", denied.detail, headers=headers)
    reason = denied.reason.value if denied.reason in _AS_THEY_ARE else "invalid"
    headers = _challenge(error="invalid_token", error_description=denied.detail)
    return Problem(401, "token_not_valid", denied.detail, reason=reason, headers=headers)


def _challenge(**attributes: str) -> dict[str, str]:
    """RFC 6750 section 3: no error code where no token came. Our own details have no quotes."""
    quoted = [f'{name}="{value}"' for name, value in {"realm": "rescind", **attributes}.items()]
    return {"WWW-Authenticate": f"Bearer {', '.join(quoted)}"}
