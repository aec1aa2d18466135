"""An issuer whose database was put back gives no session number twice, whoever can say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import jwt
import pytest
from kit.issuing import World, open_world
from kit.putting_back import back_up
from sqlalchemy import Engine

from eventlog.errors import StoreUnavailable
from rescind.position import BEGINNING, Position
from services.cluster.witnessing import Witness, agree

pytestmark = pytest.mark.postgres

Asked = Callable[[World, Position], Sequence[Witness]]


def number(world: World) -> int:
    return int(jwt.decode(world.sign_in().access, options={"verify_signature": False})["sn"])


def away() -> Position | None:
    raise StoreUnavailable("nobody is there")


def confirms(world: World, _: Position) -> list[Witness]:
    """The broken variant: a witness that was put back too says that all is well."""
    return [lambda: world.issuer.log.head()[0]]


def knows_more(_: World, last: Position) -> list[Witness]:
    return [lambda: last]


def first_is_away(_: World, last: Position) -> list[Witness]:
    return [away, lambda: last]


def first_lags(_: World, last: Position) -> list[Witness]:
    return [lambda: BEGINNING, lambda: last]


def all_away(_: World, __: Position) -> list[Witness]:
    return [away, away]


def knows_nothing(_: World, __: Position) -> list[Witness]:
    return [lambda: None]


def lags(world: World, _: Position) -> list[Witness]:
    """It had not heard of the last events either: it proves nothing."""
    head = world.issuer.log.head()[0]
    return [lambda: Position(head.epoch, head.seq - 1)]


@pytest.mark.parametrize(
    "asked",
    [
        knows_more,
        first_is_away,
        first_lags,
        all_away,
        knows_nothing,
        lags,
        pytest.param(confirms, marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason="broken on purpose")),
    ],
)
def test_no_number_is_given_twice(asked: Asked, postgres_engine: Engine) -> None:
    world = open_world(postgres_engine)
    world.account()
    given = [number(world) for _ in range(2)]
    world.records()  # numbers them
    url = postgres_engine.url.render_as_string(hide_password=False)
    with postgres_engine.connect() as connection:
        schema = str(connection.exec_driver_sql("SELECT current_schema()").scalar())
    backup = back_up(url, schema)
    given += [number(world) for _ in range(3)]
    world.records()
    last = world.issuer.log.head()[0]
    postgres_engine.dispose()
    backup.put_back()

    again = open_world(postgres_engine)
    agree(again.issuer, asked(again, last))
    assert number(again) > max(given)


@pytest.mark.parametrize("lost", [True, False])
def test_an_epoch_begins_only_where_something_was_lost(lost: bool, postgres_engine: Engine) -> None:
    world = open_world(postgres_engine)
    world.account()
    before = number(world)
    world.records()
    head = world.issuer.log.head()[0]
    agree(world.issuer, [lambda: Position(head.epoch, head.seq + 7) if lost else head])
    assert world.issuer.log.head()[0] == (Position(head.epoch + 1, 0) if lost else head)
    assert number(world) == before + 1 or lost


def test_a_log_that_grows_while_it_is_asked_about_was_not_put_back(postgres_engine: Engine) -> None:
    """Another issuer process is at work, and the witness has heard of what it has just done."""
    world = open_world(postgres_engine)
    world.account()
    before = number(world)

    def heard_of_more() -> Position:
        world.account("bob")
        world.records()  # numbers it
        return world.issuer.log.head()[0]

    world.records()
    agree(world.issuer, [heard_of_more])
    assert world.issuer.log.head()[0].epoch == 1
    assert number(world) == before + 1
