"""`python -m services verify-log`: goes through each log's chain, and asks the checkpoints that were kept elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from eventlog.checkpoints import LogCheckpoint, read_checkpoints
from eventlog.port import START, EventFeed, Recorded
from eventlog.verifying import Tampering, Verdict
from eventlog.verifying import verify_log as verify_records
from services.checkpoint_mac import checker
from services.data_folder import master_key
from services.runtime import CannotStart
from services.settings import Settings
from services.wiring import checkpoint_file, open_logs

_FOUND = {
    Tampering.CHANGED: "row {0} was changed",
    Tampering.REMOVED: "row {0} was removed",
    Tampering.REORDERED: "row {0} was moved or doubled",
    Tampering.TRUNCATED: "the log was cut: row {0} and all later ones are missing",
    Tampering.REWRITTEN: "the log was written anew, from row {0} or a later one on",
    Tampering.FORGED: "the checkpoint at {0} has no valid signature: it was forged, or --data holds another master key",
}


def verify_log(settings: Settings) -> int:
    """Print a line for each log; 0 only when all are sound."""
    check = checker(master_key(settings.data, first_start=False))
    verdicts = []
    with open_logs(settings) as logs:
        for log in logs:
            checkpoints = _checkpoints(checkpoint_file(settings, log.name))
            verdicts.append(verify_records(records(log), checkpoints, check))
            print(line(log.name, verdicts[-1], len(checkpoints)))  # noqa: T201  (a command prints)
    return 1 if any(verdict.tampering for verdict in verdicts) else 0


def line(name: str, verdict: Verdict, checkpoints: int) -> str:
    """The verdict in words."""
    if verdict.tampering:
        return f"{name}: {_FOUND[verdict.tampering].format(verdict.position)}. {verdict.checked} rows before it are sound."
    count = "1 checkpoint" if checkpoints == 1 else f"{checkpoints} checkpoints"
    proof = f"proven up to {verdict.proven} by {count}" if checkpoints else "no checkpoint to prove it by"
    return f"{name}: sound, {verdict.checked} rows, {proof}."


def records(feed: EventFeed) -> Iterator[Recorded]:
    """All records of a log, a batch at a time."""
    checkpoint = START
    while (batch := feed.read(checkpoint, limit=1000)).records:
        yield from batch.records
        checkpoint = batch.checkpoint


def _checkpoints(path: Path) -> list[LogCheckpoint]:
    try:
        return list(read_checkpoints(path)) if path.exists() else []
    except (OSError, ValueError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it cannot be read"
        msg = f"{path}: {reason}. Give --checkpoints the folder with a good copy."
        raise CannotStart(msg) from error
