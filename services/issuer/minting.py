"""Tokens for a session, after its state is committed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from services.issuer.decisions import access_claims, tokens
from services.issuer.decisions.access_claims import Audience, Bearer
from services.issuer.decisions.scopes import words
from services.issuer.decisions.session import Session
from services.issuer.decisions.subject import Account
from services.issuer.decisions.tokens import RefreshToken
from services.issuer.errors import InvalidToken
from services.issuer.key_set import KeySet
from services.issuer.settings import IssuerSettings
from services.issuer.views import Pair


@dataclass(frozen=True, slots=True)
class Granted:
    """A session whose current refresh token is the answer, as it was committed. `now` in milliseconds."""

    session: Session
    account: Account
    keys: KeySet = field(repr=False)
    now: int


def scopes_of(session: Session, account: Account) -> frozenset[str]:
    """A session's own scopes, else its subject's."""
    return account.scopes if session.scopes is None else session.scopes


def claims_version(session: Session, account: Account) -> int:
    """The version that a token of this session carries: at least what either of the two demands."""
    return max(session.cv, account.cv)


@dataclass(frozen=True, slots=True)
class Mint:
    """`audience_of` says whom a client's token with these scopes is for."""

    settings: IssuerSettings
    audience_of: Callable[[str, frozenset[str]], Audience]
    new_id: Callable[[], str]

    def pair(self, granted: Granted) -> Pair:
        """A new access token beside the session's current refresh token, which is the same bytes each time."""
        session, account = granted.session, granted.account
        scopes = scopes_of(session, account)
        bearer = Bearer(
            sub=account.sub,
            audience=self.audience_of(session.client_id, scopes),
            scopes=scopes,
            cv=claims_version(session, account),
        )
        claims = access_claims.for_session(session, bearer, self.settings, jti=self.new_id(), now=granted.now)
        return Pair(
            access=granted.keys.signer(granted.now).access_token(claims),
            refresh=_refresh_token(session, granted.keys, self.settings.iss),
            sid=session.sid,
            generation=session.rotation.generation,
            expires_in=access_claims.life(claims),
            refresh_expires=session.rotation.exp,
            remember_me=session.remember_me,
            scope=words(scopes),
        )


def _refresh_token(session: Session, keys: KeySet, iss: str) -> str:
    rotation = session.rotation
    key = keys.secrets.get(rotation.kid)
    if key is None:  # compromised since: nothing that it signs is accepted any more
        raise InvalidToken
    token = RefreshToken(iss, session.sid, rotation.generation, rotation.iat, rotation.exp, rotation.kid)
    return tokens.write(token, key, session.secret)
