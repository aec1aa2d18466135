"""What verifying costs, as ratios within one run: the bare signature check, PyJWT, and the SDK cold, hot and after a change.

    PYTHONPATH=tests python benchmarks/verify.py [--rounds N]

Each row is the best of several rounds, taken in turn so that a busy machine disturbs all of them alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import jwt
from kit.quiet_feed import ByHand, Clock, QuietFeed
from kit.tokens import AUD, ISS, NOW, Signer, claims

from rescind import Claims, Issuer, Verifier
from rescind.access_token import Rules, check_access_token
from rescind.jose import Jws, parse
from rescind.revocations import ALWAYS, Change, Verdict
from rescind.vocabulary import Target, TargetType

REVOKED = 100_000
ALGORITHMS = ("ES256", "EdDSA", "RS256")


def contenders(alg: str) -> dict[str, Callable[[], object]]:
    """Name what is compared, the yardstick first; each call verifies one token."""
    signer = Signer.of(alg)
    token = signer.token(claims(sn=REVOKED * 3, sub="0123456789abcdef0123456789abcdef"))
    public = signer.public
    rules = {ISS: Rules(iss=ISS, keys={"k1": public}.get, algorithms=frozenset({alg}))}
    audience, clock = frozenset({AUD}), Clock()
    verifier = Verifier(
        issuers=Issuer(iss=ISS, keys={"k1": public}.get, algorithms=(alg,)),
        audience=AUD,
        feed=QuietFeed,
        now=lambda: NOW + 1.0,
        clock=clock,
    )
    verifier.verify(b"")
    feed = ByHand(clock, verifier._here().judging.follower)  # noqa: SLF001  (its list comes from here, not from a server)
    feed.load(*(Change(Target(TargetType.SESSION, ISS, "", 3 * sn + 1), Verdict(end=ALWAYS)) for sn in range(REVOKED)))
    feed.ack({ISS: 0})
    jws, key = parse(token), signer.key.public_key()
    if not isinstance(jws, Jws) or not isinstance(verifier.verify(token), Claims):
        raise SystemExit("the benchmark's own token is refused")
    options: jwt.types.Options = {"verify_exp": False, "verify_iat": False}

    def after_a_change() -> object:
        feed.follower.local.version += 1
        return verifier.verify(token)

    return {
        "bare signature check": lambda: public.check(jws.signed, jws.signature),
        "PyJWT decode": lambda: jwt.decode(token, key, [alg], audience=AUD, issuer=ISS, options=options),
        "rescind, cold": lambda: check_access_token(token, rules, audience=audience, now_s=NOW + 1),
        "rescind, list changed": after_a_change,
        "rescind, hot": lambda: verifier.verify(token),
    }


def best(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Give microseconds per call."""
    found = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            times = 20_000 if name in {"rescind, hot", "rescind, list changed"} else 200
            began = time.perf_counter()
            for _ in range(times):
                call()
            found[name] = min(found[name], (time.perf_counter() - began) / times * 1e6)
    return found


def main() -> None:
    """Print a table per algorithm."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    print(f"{REVOKED:,} revoked sessions in the list; ratios to the bare signature check of the same run")
    for alg in ALGORITHMS:
        measured = best(contenders(alg), rounds)
        bare = measured["bare signature check"]
        print(f"\n{alg}")
        for name, microseconds in measured.items():
            print(f"  {name:24} {microseconds:9.2f} us   {microseconds / bare:8.4f}")


if __name__ == "__main__":
    main()
