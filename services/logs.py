"""Structured logs: one JSON object a line, to standard error. Nothing of a request but its route gets here."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path
from types import TracebackType
from typing import TextIO

from services.times import iso

OWN = ("services", "eventlog", "rescind")
_FRAMES = 12


class JsonLines(logging.Formatter):
    """Time, level, logger, message, and the mapping that was passed as `extra={"fields": …}`.

    An error is written as its type and the places it came through, without its message: messages of libraries quote
    statements, parameters and URLs.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "time": iso(int(record.created * 1000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage().strip(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= fields
        if record.exc_info and record.exc_info[1]:
            line["error"] = type_name(record.exc_info[1])
            line["where"] = _places(record.exc_info[2])
        return json.dumps(line, default=str, ensure_ascii=False)


def type_name(error: BaseException) -> str:
    """`module.Class`, the part of an error that is safe to show."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def configure(stream: TextIO, level: str) -> None:
    """Own loggers at `level` (debug, info, warning, error), those of libraries from warning up."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    for name in OWN:
        logging.getLogger(name).setLevel(level.upper())
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # it complains ten times a second; /readyz says what is wrong


def _places(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-_FRAMES:]
    return [f"{'/'.join(Path(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}" for frame in frames]
