"""Looking at a token of either kind without changing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rescind.access_token import Rules, check_access_token
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.jose import parse
from services.issuer.decisions import tokens
from services.issuer.decisions.refreshing import refusal_of_state
from services.issuer.decisions.restriction import Restriction
from services.issuer.decisions.session import EXPIRED, Session
from services.issuer.decisions.subject import Account
from services.issuer.decisions.tokens import RefreshToken
from services.issuer.errors import TOKEN_REVOKED, InvalidToken, IssuerError, SessionEnded
from services.issuer.keys import Keys
from services.issuer.minting import claims_version, scopes_of
from services.issuer.settings import IssuerSettings
from services.issuer.signing import ALGORITHMS
from services.issuer.sql.restriction_rows import Wide
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.times import Now

LEEWAY_S = 2  # between the clocks of our own processes


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A genuine unexpired token. `refusal` None: it would be accepted now. `session` None: a machine's token."""

    token: RefreshToken | Claims = field(repr=False)
    session: Session | None
    account: Account | None
    refusal: IssuerError | None
    outdated: bool = False  # an access token with old claims

    @property
    def client_id(self) -> str:
        """Whose token it is."""
        if self.session is not None:
            return self.session.client_id
        return self.token.client_id if isinstance(self.token, Claims) else ""

    @property
    def scopes(self) -> frozenset[str]:
        """What it allows."""
        if isinstance(self.token, Claims):
            return self.token.scope
        return scopes_of(self.session, self.account) if self.session and self.account else frozenset()


class Inspecting:
    """Reads tokens in one snapshot each."""

    def __init__(self, store: Store, keys: Keys, settings: IssuerSettings, now: Now) -> None:
        self._store = store
        self._keys = keys
        self._settings = settings
        self._now = now
        self._rules = {settings.iss: Rules(iss=settings.iss, keys=keys.key, algorithms=ALGORITHMS)}

    def look(self, text: str) -> Looked:
        """Either kind; InvalidToken for what is no genuine unexpired token of ours."""
        if tokens.looks_like_refresh(text):
            return self._look_at_refresh(text)
        claims = self.claims(text, audience=None)
        if isinstance(claims, Denied):
            raise InvalidToken(EXPIRED if claims.reason is Denial.EXPIRED else "invalid")
        return self.look_at_claims(claims)

    def claims(self, text: str, *, audience: str | None) -> Claims | Denied:
        """An access token's signature and claims; `audience` None: whosever."""
        token = text.encode(errors="replace")
        expected = _audiences(token) if audience is None else frozenset({audience})
        return check_access_token(token, self._rules, audience=expected, now_s=self._now() / 1000, leeway=LEEWAY_S)

    def look_at_claims(self, claims: Claims) -> Looked:
        """An access token whose signature and claims are good, seen beside its session, its client and its own revocation."""
        with self._store.reading() as unit:
            wide = unit.restrictions.wide()
            revoked = InvalidToken(TOKEN_REVOKED) if unit.restrictions.has_token(claims.jti) else None
            if claims.sid is None:
                refusal = revoked or _machine_refusal(claims, unit, wide)
                return Looked(token=claims, session=None, account=None, refusal=refusal)
            session, account, refusal = self._session(unit, claims.sid, wide)
        outdated = session is not None and account is not None and claims.cv < claims_version(session, account)
        return Looked(token=claims, session=session, account=account, refusal=refusal or revoked, outdated=outdated)

    def _look_at_refresh(self, text: str) -> Looked:
        token = tokens.read(text, self._keys.refresh_key, iss=self._settings.iss)
        key = self._keys.refresh_key(token.kid)
        with self._store.reading() as unit:
            session, account, refusal = self._session(unit, token.sid, unit.restrictions.wide())
        if session is None or key is None or not tokens.is_signed(text, key, session.secret):
            raise InvalidToken
        if self._now() >= token.exp * 1000:
            raise InvalidToken(EXPIRED)
        superseded = token.generation != session.rotation.generation
        return Looked(
            token=token,
            session=session,
            account=account,
            refusal=refusal or (InvalidToken() if superseded else None),
        )

    def _session(self, unit: Unit, sid: str, wide: Wide) -> tuple[Session | None, Account | None, IssuerError | None]:
        session = unit.sessions.find(sid)
        found = unit.subjects.by_id(session.subject_id) if session else None
        if session is None or found is None:
            return None, None, InvalidToken()
        others: tuple[Restriction, ...] = (*found.account.restrictions, *wide.of(session.client_id))
        return session, found.account, refusal_of_state(session, others, self._settings, self._now())


def _machine_refusal(claims: Claims, unit: Unit, wide: Wide) -> IssuerError | None:
    """A machine's token has no session: it began when it was issued."""
    if unit.clients.find(claims.client_id) is None:
        return InvalidToken()
    for each in wide.of(claims.client_id):
        if each.covers(sn=2**63, auth_time=claims.iat):
            return SessionEnded(each.reason.value, each.at)
    return None


def _audiences(token: bytes) -> frozenset[str]:
    jws = parse(token)
    found: object = None if isinstance(jws, Denied) else jws.payload.get("aud")
    names: object = [found] if isinstance(found, str) else found
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def members(looked: Looked, settings: IssuerSettings) -> Mapping[str, object]:
    """What RFC 7662 section 2.2 says about an active token."""
    token, sub = looked.token, looked.account.sub if looked.account else ""
    common: dict[str, object] = {
        "active": True,
        "iss": settings.iss,
        "client_id": looked.client_id,
        "scope": " ".join(sorted(looked.scopes)),
        "exp": token.exp,
        "iat": token.iat,
    }
    if isinstance(token, RefreshToken):
        return {**common, "sub": sub, "sid": token.sid, "token_type": "refresh_token"}
    return {**token.raw, **common, "token_type": "Bearer"}
