"""What bootstrap gives to a service: who it is, and the secrets that it needs and no other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.data_folder import write_private
from services.runtime import CannotStart

FILE = "credential.json"
_OTHERS = 0o077


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """`iss`: the issuer that the cluster is about. `client_id`, `client_secret`: the service's own OAuth client.

    `keys`: secret bytes by what they are for. `verifier`: the credential at the feed, for who follows it.
    """

    iss: str
    client_id: str
    client_secret: str = field(repr=False)
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    verifier: str = field(default="", repr=False)


def write_credential(path: Path, credential: Credential) -> None:
    """Write the file, for this user alone, and its folder."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    said = {
        "iss": credential.iss,
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
        "keys": {name: key.hex() for name, key in credential.keys.items()},
        "verifier": credential.verifier,
    }
    write_private(path, (json.dumps(said, indent=2) + "\n").encode())


def read_credential(path: Path | None) -> Credential:
    """Read it back; CannotStart for a file that is missing, malformed or readable by others."""
    if path is None:
        raise CannotStart("--credential is missing: name the file that bootstrap wrote for this service.")
    try:
        if path.stat().st_mode & _OTHERS:
            msg = f"Others can read {path}. Run: chmod 600 {path}"
            raise CannotStart(msg)
        said = json.loads(path.read_text("utf-8"))
        return Credential(
            iss=said["iss"],
            client_id=said["client_id"],
            client_secret=said["client_secret"],
            keys={name: bytes.fromhex(key) for name, key in said["keys"].items()},
            verifier=said["verifier"],
        )
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}). Run bootstrap, or correct --credential."
        raise CannotStart(msg) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        msg = f"{path} is no credential: run bootstrap again."
        raise CannotStart(msg) from None
