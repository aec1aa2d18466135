from dataclasses import replace

import pytest

from services.issuer.decisions.rotation import Classified, Kind, Rotation, advanced, classify, marked_late

T = 1_800_000_000_000
WINDOW = 30_000
CURRENT = Rotation(generation=7, iat=T // 1000, exp=T // 1000 + 600, kid="k", at=T)


def judge(
    rotation: Rotation, presented: int, *, now: int = T + 1, same_device: bool = True, other_network: bool = False
) -> Classified:
    return classify(
        rotation,
        presented,
        now=now,
        same_device=same_device,
        other_network=other_network,
        race_window=WINDOW,
        late_replays=2,
    )


@pytest.mark.parametrize(
    ("presented", "elsewhere", "expected"),
    [
        (7, False, Classified(Kind.ROTATE)),
        (7, True, Classified(Kind.ROTATE)),
        (6, False, Classified(Kind.REPLAY)),
        (6, True, Classified(Kind.REUSE, "other_device")),
        (5, False, Classified(Kind.REUSE, "child_used")),
        (5, True, Classified(Kind.REUSE, "child_used")),
        (4, False, Classified(Kind.REUSE, "older")),
        (1, False, Classified(Kind.REUSE, "older")),
        (8, False, Classified(Kind.UNKNOWN)),
    ],
)
def test_a_generation_says_what_a_token_is(presented: int, elsewhere: bool, expected: Classified) -> None:
    assert judge(CURRENT, presented, same_device=not elsewhere) == expected


@pytest.mark.parametrize(
    ("after", "other_network", "kind"),
    [
        (0, False, Kind.REPLAY),
        (WINDOW, False, Kind.REPLAY),
        (WINDOW + 1, False, Kind.LATE_REPLAY),
        (0, True, Kind.LATE_REPLAY),
        (-5_000, False, Kind.REPLAY),  # the other process's clock is behind
    ],
)
def test_a_parent_is_late_after_the_window_or_from_a_known_other_network(after: int, other_network: bool, kind: Kind) -> None:
    assert judge(CURRENT, 6, now=T + after, other_network=other_network).kind is kind


@pytest.mark.parametrize(
    ("late_run", "late", "expected"),
    [
        (0, False, Classified(Kind.LATE_REPLAY)),
        (1, False, Classified(Kind.LATE_REPLAY)),
        (2, False, Classified(Kind.REUSE, "late")),
        (1, True, Classified(Kind.LATE_REPLAY)),
    ],
)
def test_two_late_generations_in_a_row_are_forgiven(late_run: int, late: bool, expected: Classified) -> None:
    rotation = replace(CURRENT, late_run=late_run, late=late)
    assert judge(rotation, 6, now=T + WINDOW + 1) == expected


def test_late_generations_are_counted_in_a_row() -> None:
    late = advanced(marked_late(CURRENT), exp=CURRENT.exp, kid="k", now=T)
    assert (late.generation, late.late, late.late_run) == (8, False, 1)
    later = advanced(marked_late(late), exp=CURRENT.exp, kid="k", now=T)
    assert later.late_run == 2
    assert advanced(later, exp=CURRENT.exp, kid="k", now=T).late_run == 0


class Player:
    """A copy of a token store: it presents what it has and keeps what it gets, unless it ignores answers."""

    def __init__(self, generation: int, *, ignores: bool = False) -> None:
        self.generation = generation
        self.ignores = ignores


def present(rotation: Rotation, player: Player, now: int) -> tuple[Rotation, Kind]:
    found = judge(rotation, player.generation, now=now)
    if found.kind is Kind.ROTATE:
        rotation = advanced(rotation, exp=now // 1000 + 600, kid="k", now=now)
    if found.kind is Kind.LATE_REPLAY:
        rotation = marked_late(rotation)
    if found.kind is not Kind.REUSE and not player.ignores:
        player.generation = rotation.generation
    return rotation, found.kind


def test_a_client_that_forever_presents_its_first_token_keeps_working() -> None:
    rotation, client = CURRENT, Player(7, ignores=True)
    kinds = []
    for nth in range(50):
        rotation, kind = present(rotation, client, T + nth * 60_000)
        kinds.append(kind)
    assert kinds == [Kind.ROTATE] + [Kind.LATE_REPLAY] * 49
    assert rotation.generation == 8


def test_a_thief_who_takes_turns_with_the_owner_is_caught_within_three_refreshes_of_each() -> None:
    rotation, owner, thief = CURRENT, Player(7), Player(7)
    refreshes = 0
    for nth in range(10):
        rotation, first = present(rotation, owner, T + nth * 120_000)
        rotation, second = present(rotation, thief, T + nth * 120_000 + 60_000)
        refreshes += 1
        if Kind.REUSE in (first, second):
            break
    assert refreshes <= 3


def test_turns_would_go_on_for_ever_if_lateness_were_never_counted() -> None:
    rotation, owner, thief = CURRENT, Player(7), Player(7)
    for nth in range(10):
        for player, delay in ((owner, 0), (thief, 60_000)):
            found = classify(
                rotation,
                player.generation,
                now=T + nth * 120_000 + delay,
                same_device=True,
                other_network=False,
                race_window=WINDOW,
                late_replays=1_000,
            )
            assert found.kind is not Kind.REUSE
            if found.kind is Kind.ROTATE:
                rotation = advanced(rotation, exp=CURRENT.exp, kid="k", now=T + nth * 120_000 + delay)
            else:
                rotation = marked_late(rotation)
            player.generation = rotation.generation


def test_a_thief_whom_the_owner_overtakes_is_caught_at_once() -> None:
    rotation, owner, thief = CURRENT, Player(7), Player(7)
    rotation, _ = present(rotation, owner, T)
    rotation, _ = present(rotation, owner, T + 60_000)
    assert present(rotation, thief, T + 120_000)[1] is Kind.REUSE


def test_answers_lost_twice_in_a_row_sign_nobody_out() -> None:
    rotation, client = CURRENT, Player(7)
    for nth in range(20):
        now = T + nth * 600_000
        rotation, _ = present(rotation, Player(client.generation), now)  # its answer is lost
        rotation, again = present(rotation, client, now + (60_000 if nth % 3 < 2 else 1_000))
        assert again is not Kind.REUSE
