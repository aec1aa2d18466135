from __future__ import annotations

import types

import rescind


def test_all_names_what_the_package_exports() -> None:
    exported = {
        name for name, value in vars(rescind).items() if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert exported == set(rescind.__all__)
    assert list(rescind.__all__) == sorted(rescind.__all__)


def test_what_a_caller_needs_is_exported() -> None:
    assert {"Claims", "Denial", "Denied", "Issuer", "Position", "Verifier"} <= set(rescind.__all__)
