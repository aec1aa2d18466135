"""A verifier as a process of its own, that can be suspended: `python -m kit.probe_process URL Watched`.

Prints one line a question: when it was asked, the refusal or `accepted`, and on what occasion (kit.probing.Occasion).
"""

from __future__ import annotations

import sys
import threading

from kit import probing

VARIANTS = {kind.__name__: kind for kind in (probing.Watched, probing.FrameFreshness)}


def main(url: str, variant: str) -> None:
    pause = threading.Event()
    with probing.following(url, VARIANTS[variant](), told=tell) as prober:
        while True:
            prober.ask()
            prober.probes.clear()
            pause.wait(0.002)


def tell(probe: probing.Probe) -> None:
    sys.stdout.write(f"{probe.at!r} {probe.refused or 'accepted'} {probe.occasion}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
