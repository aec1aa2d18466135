from __future__ import annotations

import threading
from typing import Any

import pytest
from kit.quiet_feed import QuietFeed
from kit.tokens import AUD, ISS, NOW, Signer

from rescind import Denial, Denied, Issuer, Verifier
from rescind.feed import Feed
from rescind.keys import PublicKey

SIGNER = Signer()
KEYS: dict[str, PublicKey] = {"k1": SIGNER.public}
TOKEN = SIGNER.token()


def verifier(**settings: Any) -> Verifier:
    given: dict[str, Any] = {
        "issuers": Issuer(iss=ISS, keys=KEYS.get),
        "audience": AUD,
        "feed": QuietFeed,
        "now": lambda: float(NOW),
    }
    return Verifier(**(given | settings))


def reason(answer: object) -> Denial | None:
    return answer.reason if isinstance(answer, Denied) else None


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"max_staleness": 4.9}, "5 seconds or more"),
        ({"policy": "lenient"}, "strict or best_effort"),
        ({"audience": ""}, "audience"),
        ({"audience": []}, "audience"),
        ({"issuers": []}, "at least one issuer"),
        ({"issuers": [ISS, Issuer(iss=ISS)]}, "each of them once"),
        ({"issuers": "no-address"}, "jwks_url"),
        ({"issuers": ""}, "named by its iss"),
        ({"feed": "ftp://feed.example"}, "feed"),
        ({"feed": "feed.example"}, "feed"),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_once(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        verifier(**settings)


@pytest.mark.parametrize("algorithms", [(), ("HS256",), ("none",), ("ES256", "HS256")])
def test_an_issuer_signs_with_known_asymmetric_algorithms(algorithms: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="algorithms"):
        Issuer(iss=ISS, algorithms=algorithms)


def test_keys_are_looked_for_at_the_issuer() -> None:
    assert Issuer(iss=f"{ISS}/").keys_url == f"{ISS}/.well-known/jwks.json"
    assert Issuer(iss="name", jwks_url="https://keys.example/set").keys_url == "https://keys.example/set"


def test_nothing_starts_before_the_first_call() -> None:
    made: list[Feed] = []

    def feed() -> Feed:
        made.append(QuietFeed())
        return made[-1]

    one = verifier(feed=feed)
    before = threading.active_count()
    assert not made
    one.verify(TOKEN)
    one.verify(TOKEN)
    assert len(made) == 1
    assert threading.active_count() > before
    one.close()


def test_two_threads_that_come_first_start_one_follower() -> None:
    one = verifier()
    gate = threading.Barrier(8)

    def first() -> None:
        gate.wait(10)
        one.verify(TOKEN)

    threads = [threading.Thread(target=first) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    names = [thread.name for thread in threading.enumerate()]
    assert names.count("rescind-feed") == 1
    assert names.count("rescind-keys") == 1
    one.close()


def test_a_token_may_be_text_or_bytes_and_any_of_both() -> None:
    one = verifier()
    assert reason(one.verify(TOKEN)) is Denial.NOT_READY
    assert reason(one.verify(TOKEN.decode())) is Denial.NOT_READY
    assert one.remembers(TOKEN)
    assert not one.remembers(b"other")
    for rubbish in ("", "é", "\ud800", "a.b.c", b"\xff"):
        assert reason(one.verify(rubbish)) is Denial.MALFORMED
    one.close()


def test_only_the_holder_of_a_good_token_can_make_a_verifier_wait() -> None:
    one = verifier()
    assert reason(one.verify(b"rubbish", min_seq="1.5")) is Denial.MALFORMED
    assert one.metrics().denials == {Denial.MALFORMED: 1}
    one.close()


def test_a_verifier_that_has_seen_nothing_is_not_ready_and_says_so() -> None:
    one = verifier(policy="best_effort")
    assert not one.ready
    assert one.position is None
    assert one.staleness == float("inf")
    measures = one.metrics()
    assert (measures.ready, measures.position, measures.remembered) == (False, None, 0)
    one.close()
