from __future__ import annotations

import json

import pytest
from kit.quiet_feed import ByHand, Clock
from kit.tokens import AUD, ISS, NOW, Signer, b64
from kit.tokens import claims as payload

from rescind.access_token import Rules
from rescind.claims import Claims
from rescind.errors import Denial, Denied
from rescind.jose import Jws, parse
from rescind.judging import Judging, Policy
from rescind.jwks import RemoteKeys
from rescind.keys import KeySource, PublicKey
from rescind.position import Position
from rescind.remembered import Memory
from rescind.revocations import ALWAYS, Change, Verdict
from rescind.vocabulary import Target, TargetType

SIGNER = Signer()
FOREIGN = Signer.of("RS256", "rs")
KEYCLOAK = "https://login.example/realms/shop"
END = Verdict(end=ALWAYS, reason="logout")
SESSION = Target(TargetType.SESSION, ISS, "", 7)
TOKEN = SIGNER.token()
FOREIGN_TOKEN = FOREIGN.token(payload(iss=KEYCLOAK, sn=None, cv=None, auth_time=None), typ="JWT")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Scene:
    """A verifier of one process with everything that moves in the test's hand."""

    def __init__(self, remember: int = 100, keys: KeySource | None = None) -> None:
        self.now = float(NOW)
        self.clock = Clock()
        self.feed = ByHand(self.clock)
        self.checks = 0
        own = {"k1": PublicKey("k1", "ES256", self.check)}
        foreign = {"rs": FOREIGN.public}
        self.judging = Judging(
            {
                ISS: Rules(iss=ISS, keys=keys or own.get, algorithms=frozenset({"ES256"})),
                KEYCLOAK: Rules(iss=KEYCLOAK, keys=foreign.get, algorithms=frozenset({"RS256"}), typ="jwt", own=False),
            },
            Memory(remember),
            self.feed.follower,
            audience=frozenset({AUD}),
            max_staleness=10.0,
            leeway=30,
            now=lambda: self.now,
        )

    def check(self, signed: bytes, signature: bytes) -> bool:
        self.checks += 1
        return SIGNER.public.check(signed, signature)

    def fresh(self) -> Scene:
        self.feed.load()
        self.feed.ack({ISS: 0})
        return self

    def reason(self, token: bytes = TOKEN, policy: Policy = "strict") -> Denial | None:
        answer = self.judging.verify(token, policy)
        return answer.reason if isinstance(answer, Denied) else None


@pytest.fixture
def scene() -> Scene:
    return Scene().fresh()


def test_a_good_token_is_accepted_and_its_signature_checked_once(scene: Scene) -> None:
    first, second = scene.judging.verify(TOKEN, "strict"), scene.judging.verify(TOKEN, "strict")
    assert isinstance(first, Claims)
    assert second is first
    assert scene.checks == 1


def test_a_remembered_token_still_expires(scene: Scene) -> None:
    assert scene.reason() is None
    scene.now = NOW + 929.0
    assert scene.reason() is None
    scene.now = NOW + 930.0
    assert scene.reason() is Denial.EXPIRED
    assert scene.reason() is Denial.EXPIRED


def test_a_remembered_token_is_refused_once_revoked_and_accepted_once_lifted(scene: Scene) -> None:
    assert scene.reason() is None
    scene.feed.apply(Change(SESSION, END))
    assert scene.reason() is Denial.SESSION_REVOKED
    scene.feed.apply(Change(SESSION, None))
    assert scene.reason() is None
    assert scene.checks == 1


def test_a_resync_judges_remembered_tokens_again(scene: Scene) -> None:
    assert scene.reason() is None
    scene.feed.load(Change(SESSION, END), position=Position(1, 9))
    assert scene.reason() is Denial.SESSION_REVOKED


def malleated(token: bytes) -> bytes:
    """Make another token with a good signature: for ECDSA (r, n - s) is as good as (r, s)."""
    jws = parse(token)
    assert isinstance(jws, Jws)
    r, s = jws.signature[:32], int.from_bytes(jws.signature[32:], "big")
    return jws.signed + b"." + b64(r + (P256_ORDER - s).to_bytes(32, "big"))


def test_another_spelling_of_a_revoked_token_is_as_dead(scene: Scene) -> None:
    other = malleated(TOKEN)
    assert scene.reason() is None
    assert scene.reason(other) is None  # genuine, so a list of token texts would let it pass
    scene.feed.apply(Change(Target(TargetType.TOKEN, ISS, "token-1"), END))
    assert scene.reason() is Denial.TOKEN_REVOKED
    assert scene.reason(other) is Denial.TOKEN_REVOKED
    for padded in (TOKEN + b"=", TOKEN + b"==", other + b"=", TOKEN.decode().encode() + b"\n"):
        assert scene.reason(padded) is Denial.MALFORMED
    assert other != TOKEN


def test_nothing_is_accepted_before_the_list_is_there() -> None:
    scene = Scene()
    assert scene.reason() is Denial.NOT_READY
    assert scene.reason(policy="best_effort") is Denial.NOT_READY
    scene.feed.load()
    assert scene.reason() is Denial.STALE
    assert scene.reason(policy="best_effort") is None
    scene.feed.ack({ISS: 0})
    assert scene.reason() is None


def test_what_cannot_be_proven_fresh_denies_or_is_counted(scene: Scene) -> None:
    scene.clock.now += 10_000
    assert scene.reason() is None
    scene.clock.now += 1
    assert scene.reason() is Denial.STALE
    assert scene.reason(policy="best_effort") is None
    assert scene.judging.accepted_stale == 1
    scene.feed.ack({ISS: 0})
    assert scene.reason() is None
    assert scene.judging.accepted_stale == 1


def test_a_stale_verifier_still_knows_who_is_revoked(scene: Scene) -> None:
    scene.feed.apply(Change(SESSION, END))
    scene.clock.now += 60_000
    assert scene.reason(policy="best_effort") is Denial.SESSION_REVOKED


def test_each_issuer_is_as_fresh_as_its_own_log_and_another_one_as_the_list(scene: Scene) -> None:
    scene.clock.now += 8_000
    scene.feed.ack({ISS: 9_000})
    scene.clock.now += 3_000
    assert scene.reason() is Denial.STALE
    assert scene.reason(FOREIGN_TOKEN) is None


def test_an_issuer_that_is_no_source_is_stale() -> None:
    scene = Scene()
    scene.feed.load()
    scene.feed.ack({})
    assert scene.reason() is Denial.STALE
    assert scene.reason(FOREIGN_TOKEN) is None


def test_memory_is_bounded_and_forgets_the_oldest() -> None:
    scene = Scene(remember=2).fresh()
    tokens = [SIGNER.token(payload(jti=f"token-{number}")) for number in range(3)]
    for token in tokens:
        assert scene.reason(token) is None
    assert len(scene.judging.memory) == 2
    assert scene.reason(tokens[2]) is None
    assert scene.checks == 3
    assert scene.reason(tokens[0]) is None
    assert scene.checks == 4


def test_a_withdrawn_keys_tokens_are_forgotten_even_if_checked_in_that_moment() -> None:
    published: list[dict[str, object]] = [SIGNER.jwk]
    withdrawing = False

    def keys(kid: str) -> PublicKey | None:
        found = remote(kid)
        if withdrawing:
            published.clear()
            scene.now += 300
            remote.renew()
        return found

    scene = Scene(keys=keys).fresh()
    remote = RemoteKeys(
        lambda: json.dumps({"keys": published}).encode(),
        algorithms=("ES256",),
        clock=lambda: scene.now,
        changed=scene.judging.memory.clear,
    )
    assert scene.reason() is None
    assert scene.judging.memory.get(TOKEN) is not None
    scene.judging.memory.forget(TOKEN)
    withdrawing = True
    assert scene.reason() is None
    assert scene.reason() is Denial.UNKNOWN_KEY


def test_bad_tokens_are_not_remembered(scene: Scene) -> None:
    bad = Signer().token()
    assert scene.reason(bad) is Denial.BAD_SIGNATURE
    assert scene.reason(bad) is Denial.BAD_SIGNATURE
    assert len(scene.judging.memory) == 0


def test_denials_are_counted_by_reason(scene: Scene) -> None:
    for token in (b"rubbish", b"rubbish", Signer().token()):
        scene.reason(token)
    assert scene.judging.denials == {Denial.MALFORMED: 2, Denial.BAD_SIGNATURE: 1}


def test_a_judgement_of_an_older_list_is_never_taken_for_one_of_a_newer(scene: Scene) -> None:
    """The list changes while a token is judged: the answer may be the older one, but only once."""
    assert scene.reason() is None
    local = scene.feed.follower.local
    judge = local.judge

    def slow(claims: Claims) -> Denied | None:
        answer = judge(claims)
        local.judge = judge  # type: ignore[method-assign]
        scene.feed.apply(Change(SESSION, END))
        return answer

    local.judge = slow  # type: ignore[method-assign]
    scene.feed.apply()
    local.version += 1
    scene.reason()
    assert scene.reason() is Denial.SESSION_REVOKED


def test_an_open_response_is_judged_by_freshness_and_list_but_not_by_expiry(scene: Scene) -> None:
    accepted = scene.judging.verify(TOKEN, "strict")
    assert isinstance(accepted, Claims)
    scene.now += 100_000
    assert scene.judging.again(accepted, "strict") is None
    scene.feed.apply(Change(SESSION, END))
    revoked = scene.judging.again(accepted, "best_effort")
    assert revoked is not None
    assert revoked.reason is Denial.SESSION_REVOKED
    scene.clock.now += 60_000
    stale = scene.judging.again(accepted, "strict")
    assert stale is not None
    assert stale.reason is Denial.STALE


def test_a_position_is_awaited_or_refused(scene: Scene) -> None:
    assert scene.judging.behind("1.1") is None
    assert scene.judging.behind("0.99") is None
    for wrong in ("", "5", "1.2.3", "-1.2", "1.99999999999999999999"):
        denied = scene.judging.behind(wrong)
        assert denied is not None
        assert denied.reason is Denial.STALE
