"""The folder of one installation: the master key, the first credentials, the SQLite files. Nobody else may read it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from services.runtime import CannotStart

MASTER_KEY = "master.key"
CREDENTIALS = "admin-client.json"
_OTHERS = 0o077
_KEY_BYTES = 32


def open_folder(path: Path) -> Path:
    """Make the folder where it is missing; CannotStart when it cannot be written to."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = path / f".write-{secrets.token_hex(4)}"
        _write(probe, b"")
        probe.unlink()
    except OSError as error:
        msg = f"Cannot write to the data folder {path}: {_reason(error)}. Choose another --data."
        raise CannotStart(msg) from error
    return path


def master_key(folder: Path, *, first_start: bool = True) -> bytes:
    """The installation's secret, made at first start where there may be one.

    CannotStart when it is missing beside databases, malformed or readable by others.
    """
    path = folder / MASTER_KEY
    try:
        if not path.exists():
            if not first_start:
                msg = f"{path} is missing. Give --data the folder of an installation."
                raise CannotStart(msg)
            if any(folder.glob("*.db")):
                msg = f"{path} is missing, and the databases beside it are of no use without it. Put it back."
                raise CannotStart(msg)
            write_private(path, (secrets.token_hex(_KEY_BYTES) + "\n").encode())
        if path.stat().st_mode & _OTHERS:
            msg = f"Others can read {path}. Run: chmod 600 {path}"
            raise CannotStart(msg)
        key = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        msg = f"Cannot read {path}: {_reason(error)}."
        raise CannotStart(msg) from error
    except ValueError as error:
        msg = f"{path} holds no key: it must be the line of hex digits that was written at first start."
        raise CannotStart(msg) from error
    if len(key) < _KEY_BYTES:
        msg = f"{path} holds a key that is too short: put back the one that was written at first start."
        raise CannotStart(msg)
    return key


def write_credentials(folder: Path, credentials: Mapping[str, str]) -> Path:
    """Leave the first credentials for whoever administrates; mode 0600."""
    path = folder / CREDENTIALS
    write_private(path, (json.dumps(dict(credentials), indent=2) + "\n").encode())
    return path


def write_private(path: Path, content: bytes) -> None:
    """Replace a file at once and durably; only the owner can read it, at no moment anybody else."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    _write(draft, content)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
