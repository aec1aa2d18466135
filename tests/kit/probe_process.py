"""A verifier as a process of its own, that can be suspended: `python -m kit.probe_process URL Freshness`.

Prints one line a question: when it was asked, and the refusal or `accepted`.
"""

from __future__ import annotations

import sys
import threading

from kit import probing

from rescind.freshness import Freshness

VARIANTS = {"Freshness": Freshness, "FrameFreshness": probing.FrameFreshness}


def main(url: str, variant: str) -> None:
    pause = threading.Event()
    with probing.following(url, VARIANTS[variant]()) as follower:
        prober = probing.Prober(follower, probing.MAX_STALENESS)
        while True:
            probe = prober.ask()
            prober.probes.clear()
            sys.stdout.write(f"{probe.at!r} {probe.refused or 'accepted'}\n")
            sys.stdout.flush()
            pause.wait(0.002)


if __name__ == "__main__":
    main(*sys.argv[1:])
