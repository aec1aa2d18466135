"""Tokens that are not what they are presented as, at the issuer's own doors."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from hashlib import sha256

import pytest
from kit.issuing import HOME, MASTER, World, open_world, settings
from sqlalchemy import Engine

from rescind.errors import Denied
from services.issuer.decisions import base64url
from services.issuer.errors import InvalidToken
from services.issuer.wiring import open_issuer


@pytest.fixture
def world(engine: Engine) -> World:
    opened = open_world(engine)
    opened.account()
    return opened


def parts(token: str) -> tuple[Mapping[str, object], Mapping[str, object], str]:
    header, payload, signature = token.split(".")
    return json.loads(base64url.decode(header)), json.loads(base64url.decode(payload)), signature


def text(header: Mapping[str, object], payload: Mapping[str, object], signature: str) -> str:
    return f"{base64url.encode(json.dumps(header).encode())}.{base64url.encode(json.dumps(payload).encode())}.{signature}"


def hs256(header: Mapping[str, object], payload: Mapping[str, object], key: bytes) -> str:
    unsigned = text(header, payload, "")[:-1]
    return f"{unsigned}.{base64url.encode(hmac.digest(key, unsigned.encode(), sha256))}"


def refused(world: World, token: str) -> None:
    """By every door that takes tokens."""
    assert isinstance(world.issuer.access.check(token), Denied)
    for door in (world.issuer.sessions.verify, world.issuer.sessions.logout, world.refresh):
        with pytest.raises(InvalidToken) as caught:
            door(token)
        assert not token or token not in str(caught.value)
    asker = world.client(scopes=("introspect",))
    assert world.issuer.sessions.introspect(token, asker) is None


def test_one_kind_is_not_the_other(world: World) -> None:
    pair = world.sign_in()
    assert getattr(world.issuer.access.check(pair.refresh), "reason", None) == "wrong_type"
    with pytest.raises(InvalidToken):
        world.refresh(pair.access)


def test_forged_tokens_are_refused_everywhere(world: World) -> None:
    pair = world.sign_in()
    header, payload, signature = parts(pair.access)
    published = json.dumps(world.issuer.keys.jwks()["keys"]).encode()
    later = {**payload, "exp": 2**40}
    forgeries = [
        "",
        "a.b.c",
        "a" * 10_000,
        "é.é.é",
        text({**header, "alg": "none"}, payload, ""),
        text(header, later, signature),
        text({**header, "kid": "other"}, payload, signature),
        text({**header, "jku": "https://attacker.example/jwks"}, payload, signature),
        hs256({**header, "alg": "HS256"}, payload, published),
        hs256({"alg": "HS256", "kid": header["kid"], "typ": "rt+jwt"}, {**payload, "gen": 1}, published),
        pair.access + "=",
        pair.access[:-1],
        pair.refresh + "=",
        pair.refresh[:-1] + ("A" if pair.refresh[-1] != "A" else "B"),
    ]
    for forgery in forgeries:
        refused(world, forgery)
    world.issuer.sessions.verify(pair.access)
    world.refresh(pair.refresh)


def test_another_issuers_tokens_are_rubbish(world: World, engine: Engine) -> None:
    """The same database and keys under another name: what its tokens say about their issuer counts."""
    other = open_issuer(engine, settings(iss="https://other.example"), MASTER, own_scopes=frozenset(), now=world.clock)
    client = world.client(scopes=("log:read",))
    refused(world, other.clients.token(client, None).token)


def test_a_stranger_with_the_database_cannot_mint(world: World) -> None:
    """Who reads every table has session secrets and wrapped keys; another master key opens none of them."""
    pair = world.sign_in()
    with world.issuer.store.reading() as unit:
        session = unit.sessions.find(pair.sid)
        (stored, *_) = unit.signing_keys.all()
    assert session is not None
    for key in (b"", stored.wrapped, session.secret):
        header, payload, _ = parts(pair.refresh)
        refused(world, hs256(header, {**payload, "gen": 2}, key))


def test_refreshing_nothing_needs_no_database(world: World, engine: Engine) -> None:
    """The outer MAC refuses before any query: a closed database is not noticed."""
    world.issuer.keys.now()
    engine.dispose()
    answer = world.issuer.sessions.refresh("a.b.c", HOME)
    assert isinstance(answer.exception(0), InvalidToken)
