"""The story: chapters in order, against whatever stage is given."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import closing

import httpx

from demo.everyday import call_the_apis, change_scopes, log_out, refresh_and_race, sign_in_everywhere, sign_out_everywhere
from demo.people import Admin, NotHeld
from demo.record import read_the_log
from demo.screen import Screen
from demo.stage import Stage
from demo.theft import false_alarm, steal
from demo.watching import Resources
from demo.world import World

CHAPTERS: Sequence[Callable[[World], None]] = (
    sign_in_everywhere,
    call_the_apis,
    refresh_and_race,
    log_out,
    steal,
    false_alarm,
    change_scopes,
    sign_out_everywhere,
    read_the_log,
)
"""Each goes on from where the last one left the world; its docstring is its heading."""


def heading(chapter: Callable[[World], None]) -> str:
    """What a chapter is called."""
    return (chapter.__doc__ or "").strip().removesuffix(".")


def play(stage: Stage, screen: Screen, *, on_chapter: Callable[[str, str], None] = lambda _heading, _trouble: None) -> bool:
    """Play all chapters; whether every step held. `on_chapter` hears each heading with what did not hold, or ""."""
    with httpx.Client(timeout=10, verify=stage.tls) as http, closing(Resources(stage.apis, stage.tls)) as apis:
        try:
            world = World(stage, screen, http, Admin(http, stage), apis, username=f"maya-{secrets.token_hex(3)}")
        except (NotHeld, httpx.HTTPError) as error:
            screen.failed(_words(error))
            return False
        for chapter in CHAPTERS:
            trouble = _played(chapter, world)
            on_chapter(heading(chapter), trouble)
            if trouble:
                screen.failed(trouble)
                screen.end("The story does not hold.", held=False)
                return False
    slowest = max(world.refusals)
    middle = sorted(world.refusals)[len(world.refusals) // 2]
    words = f"Every step held. {len(world.refusals)} refusals of dead sessions: median {middle:.0f} ms, slowest {slowest:.0f} ms."
    screen.end(words, held=True)
    return True


def _played(chapter: Callable[[World], None], world: World) -> str:
    world.screen.chapter(heading(chapter))
    try:
        chapter(world)
    except (NotHeld, httpx.HTTPError) as trouble:
        return _words(trouble)
    return ""


def _words(trouble: Exception) -> str:
    return str(trouble) if isinstance(trouble, NotHeld) else f"no answer: {type(trouble).__name__}"
