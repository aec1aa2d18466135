"""What can befall the two roads from the issuer to the list, each until the block ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from kit.kafka_log import leader
from kit.raw_server import http_answer
from kit.scene import SESSIONS, Scene

from eventlog.sql.engine import lock, open_engine, write_connection

Fault = Callable[[Scene], AbstractContextManager[None]]

_POST = b"POST /v1/facts"


@contextmanager
def express_road_cut(scene: Scene) -> Iterator[None]:
    scene.road.reset(refuse=True)
    try:
        yield
    finally:
        scene.road.release()


@contextmanager
def express_road_black(scene: Scene) -> Iterator[None]:
    """Nothing passes, nothing is closed."""
    scene.road.black_hole()
    try:
        yield
    finally:
        scene.road.release()
        scene.road.reset()


@contextmanager
def kafka_dead(scene: Scene) -> Iterator[None]:
    for node in scene.kafka.nodes:
        node.kill()
    try:
        yield
    finally:
        for node in scene.kafka.nodes:
            node.begin()
        for node in scene.kafka.nodes:
            node.await_answer()


@contextmanager
def partition_paused(scene: Scene) -> Iterator[None]:
    node = leader(scene.kafka, scene.settings, SESSIONS, 0)
    node.pause()
    try:
        yield
    finally:
        node.resume()


@contextmanager
def relay_dead(scene: Scene) -> Iterator[None]:
    relay = scene.role("relay")
    relay.kill()
    try:
        yield
    finally:
        relay.start()
        relay.await_ready()


@contextmanager
def sequencer_stopped(scene: Scene) -> Iterator[None]:
    """Somebody else holds the lock under which positions are given."""
    engine = open_engine(scene.database, schema="issuer")
    with write_connection(engine) as connection:
        lock(connection, "sequencer")
        yield
    engine.dispose()


def swallow_a_fact(scene: Scene) -> None:
    """The relay is told that its next post with facts was taken, and it was not."""
    scene.road.lie(_POST, _taken, times=1, only=lambda body: bool(json.loads(body)["records"]))


def _taken(body: bytes) -> bytes:
    """What the revocation service answers to a post that it has taken."""
    position = json.loads(body)["mark"]["position"]
    return http_answer(json.dumps({"position": position}).encode(), headers={"Connection": "keep-alive"})


@contextmanager
def posts_swallowed(scene: Scene) -> Iterator[None]:
    """The relay is told that all was taken, and nothing was."""
    told = scene.road.told
    scene.road.lie(_POST, _taken, times=10_000)
    try:
        yield
    finally:
        scene.road.tell_the_truth()
    assert scene.road.told > told, "nothing was swallowed"


@contextmanager
def together(scene: Scene, faults: Sequence[Fault]) -> Iterator[None]:
    with ExitStack() as stack:
        for fault in faults:
            stack.enter_context(fault(scene))
        yield
