import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from kit.issuing import HOME, MASTER, World, cheap_hasher, open_world, settings
from sqlalchemy import Engine, text

from eventlog.errors import StoreUnavailable
from rescind.claims import Claims
from rescind.events.administration import KeyRetired, KeyRotated
from services.issuer.decisions.base64url import decode
from services.issuer.errors import InvalidRequest, InvalidToken
from services.issuer.keys import Keys
from services.issuer.sql.store import Store
from services.issuer.sql.unit import Unit
from services.issuer.wiring import new_id, open_issuer
from services.runtime import CannotStart


@pytest.fixture
def world(engine: Engine) -> World:
    opened = open_world(engine)
    opened.account()
    return opened


def kids(world: World) -> list[str]:
    found = world.issuer.keys.jwks()["keys"]
    assert isinstance(found, list)
    return [each["kid"] for each in found]


def kid(world: World, access: str) -> str:
    found = world.issuer.access.check(access)
    assert isinstance(found, Claims)
    return found.kid


def test_a_new_key_is_published_ahead_signs_later_and_outlives_its_tokens(world: World) -> None:
    old = kids(world)
    new = world.issuer.keys.rotate("access", by="admin:test")
    assert kids(world) == [*old, new]
    pair = world.sign_in()
    assert kid(world, pair.access) == old[0]
    world.clock.pass_s(600)
    pair = world.refresh(pair.refresh)
    assert kid(world, pair.access) == new
    assert world.issuer.keys.retire() == 0
    world.clock.pass_s(900 + 30)
    assert world.issuer.keys.retire() == 1
    assert kids(world) == [new]
    rotated, retired = [each for each in world.events() if isinstance(each, KeyRotated | KeyRetired) and each.use == "access"][1:]
    assert isinstance(rotated, KeyRotated)
    assert (rotated.kid, rotated.cause, rotated.by) == (new, "rotation", "admin:test")
    assert retired == KeyRetired(kid=old[0], use="access", cause="overlap_over")


def test_a_refresh_key_is_accepted_until_its_last_token_has_expired(world: World) -> None:
    pair = world.sign_in()
    world.issuer.keys.rotate("refresh", by="admin:test")
    world.clock.pass_s(6 * 86_400)
    world.refresh(pair.refresh)
    assert world.issuer.keys.retire() == 0
    world.clock.pass_s(25 * 86_400)
    assert world.issuer.keys.retire() == 1


def test_a_compromised_access_key_is_dead_and_the_next_signs_at_once(world: World) -> None:
    pair = world.sign_in()
    (old,) = kids(world)
    world.issuer.store.write(lambda unit: revoke(world, unit, old))
    (new,) = kids(world)
    assert new != old
    assert getattr(world.issuer.access.check(pair.access), "reason", None) == "unknown_key"
    assert kid(world, world.refresh(pair.refresh).access) == new
    causes = [(type(each).__name__, each.cause) for each in world.events() if isinstance(each, KeyRotated | KeyRetired)][-2:]
    assert causes == [("KeyRetired", "compromised"), ("KeyRotated", "compromised")]


def test_a_key_ahead_takes_over_from_a_compromised_one(world: World) -> None:
    (old,) = kids(world)
    ahead = world.issuer.keys.rotate("access", by="admin:test")
    world.issuer.store.write(lambda unit: revoke(world, unit, old))
    assert kids(world) == [ahead]
    assert kid(world, world.sign_in().access) == ahead


def test_a_compromised_refresh_key_ends_what_it_signed(world: World) -> None:
    pair = world.sign_in()
    header = json.loads(decode(pair.refresh.split(".")[0]))
    world.issuer.store.write(lambda unit: revoke(world, unit, header["kid"]))
    with pytest.raises(InvalidToken):
        world.refresh(pair.refresh)
    world.refresh(world.sign_in().refresh)


def revoke(world: World, unit: Unit, which: str) -> bool:
    return world.issuer.keys.revoke(unit, which, by="client:c")


def test_a_key_is_revoked_once_and_foreign_ones_never(world: World) -> None:
    (old,) = kids(world)
    assert world.issuer.store.write(lambda unit: revoke(world, unit, old))
    assert not world.issuer.store.write(lambda unit: revoke(world, unit, old))
    assert not world.issuer.store.write(lambda unit: revoke(world, unit, "foreign"))


def test_an_unknown_use_is_refused(world: World) -> None:
    with pytest.raises(InvalidRequest):
        world.issuer.keys.rotate("cookies", by="admin:test")


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_each_algorithm_signs_what_the_verifier_accepts(engine: Engine, algorithm: str) -> None:
    world = open_world(engine, settings=settings(algorithm=algorithm))
    world.account()
    pair = world.sign_in()
    assert isinstance(world.issuer.access.check(pair.access), Claims)
    jwks = world.issuer.keys.jwks()["keys"]
    assert isinstance(jwks, list)
    assert [(jwk["alg"], jwk["use"], "d" in jwk) for jwk in jwks] == [(algorithm, "sig", False)]


def test_no_secret_stands_in_the_database(world: World, engine: Engine) -> None:
    pair = world.sign_in()
    keys = world.issuer.keys.now()
    with engine.connect() as connection:
        rows = [
            bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
            for table in ("signing_keys", "keyring", "sessions", "subjects", "clients", "events")
            for row in connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608  (our own names)
            for value in row
        ]
    everything = b"|".join(rows)
    for secret in (MASTER, *keys.secrets.values(), pair.refresh.encode(), pair.access.encode(), b"correct horse"):
        assert secret not in everything
    assert HOME.ip is not None
    assert HOME.ip.encode() not in everything
    assert b"Chrome" not in everything


def test_another_master_key_does_not_start(world: World, engine: Engine) -> None:
    with pytest.raises(CannotStart, match="master key"):
        open_issuer(engine, world.issuer.settings, b"another" * 5, own_scopes=frozenset(), hasher=cheap_hasher).create()


def test_two_who_start_at_once_make_one_key(engine: Engine) -> None:
    first, second = open_world(engine), open_world(engine)
    assert kids(first) == kids(second)
    assert len(kids(first)) == 1


class _Failing(Store):
    """A store whose database can be away."""

    away = False

    @contextmanager
    def reading(self) -> Iterator[Unit]:
        if self.away:
            raise StoreUnavailable("nobody is there")
        with super().reading() as unit:
            yield unit


def test_the_key_set_is_there_while_the_database_is_away(world: World) -> None:
    of = world.issuer.store
    store = _Failing(of.log, of.tables, of.vault, new_id)
    keys = Keys(store, world.issuer.settings, world.clock, new_id)
    store.away = True
    with pytest.raises(StoreUnavailable):  # it was never read
        keys.jwks()
    store.away = False
    read = keys.jwks()
    store.away = True
    world.clock.pass_s(3600)
    assert keys.jwks() == read
    with pytest.raises(StoreUnavailable):  # the control: nothing else goes by what is old
        keys.now()
