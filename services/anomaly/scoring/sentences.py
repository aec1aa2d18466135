"""A finding's evidence in words that a person understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.anomaly.scoring.acts import Act, Net
from services.anomaly.scoring.reasons import Reason

TELLING = 0.3
"""What weighs less is left out of a sentence."""

CLASSES: Mapping[Net, str] = {
    Net.HOME: "residential",
    Net.MOBILE: "mobile",
    Net.OFFICE: "office",
    Net.HOSTING: "hosting",
    Net.VPN: "VPN",
    Net.TOR: "Tor",
    Net.RELAY: "private relay",
}
_PAUSES = {
    "2min": "within 2 minutes of the last use",
    "10min": "within 10 minutes of the last use",
    "30min": "within 30 minutes of the last use",
    "2h": "within 2 hours of the last use",
    "8h": "within 8 hours of the last use",
    "1d": "within a day of the last use",
    "14d": "days after the last use",
    "dormant": "after two weeks or more without use",
}
_DEVICES = {
    "known": "on a device that is known",
    "same": "on the same device",
    "upgrade": "with a browser that was updated",
    "leap": "with a browser much newer than the one before",
    "downgrade": "with an older version of the browser",
    "other_unit": "on another device of the same kind",
    "other_browser": "with another browser",
    "other_system": "on another operating system",
    "script": "with a program instead of a browser",
}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "device": _DEVICES,
    "switch": {key: f"the session went on {words}" for key, words in _DEVICES.items()},
    "place": {"near": "near a known place", "far": "far from every known place"},
    "cadence": {"too_soon": "sooner than the client's cadence asks for", "in_time": "at the client's usual pace"},
    "failures": {"same_network": "after a wrong password from the same network"},
    "refused": {"same_network": "from where a step-up had failed"},
    "alternation": {"two_networks": "the session is used from two fixed lines in turn"},
    "pace": {"too_many": "one refresh after the other came too soon"},
    "wave": {
        "many": "while many accounts were tried with this very user agent",
        "very_many": "while very many accounts were tried with this very user agent",
    },
    "unit": {"many": "on a device that tried many other accounts"},
    "reuse": {
        "race": "a client raced with itself: the same device, at once, from a network that is known",
        "late": "a replaced refresh token came back after a client had long had its answer",
        "older": "a replaced refresh token of a session that was left long ago came back",
        "other_device": "a replaced refresh token came back from another device",
        "other_network": "a replaced refresh token came back from a network that the subject does not use",
        "after_a_move": "the token was rotated from a new network, and its owner still holds the old one",
        "ended": "a replaced refresh token of a session that was ended came back",
        "unknown": "a replaced refresh token of somebody unknown came back",
    },
}


def explained(act: Act, reasons: Sequence[Reason]) -> str:
    """One sentence of what speaks against the owner: where it came from, then the heaviest first."""
    heavy = sorted(
        (each for each in reasons if each.llr >= TELLING), key=lambda each: (each.name != "network", -each.llr, each.name)
    )
    if heavy and heavy[0].name == "network":
        heavy = [each for each in heavy if each.name != "class"]  # the network's own words name it
    found = [words for words in (sentence(act, each) for each in heavy) if words]
    if not found:
        return "Nothing unusual."
    text = ", ".join(found)
    return f"{text[0].upper()}{text[1:]}."


def sentence(act: Act, reason: Reason) -> str:
    """One reason; empty where there is nothing to say."""
    match reason.name:
        case "network":
            return _network(act, reason.value)
        case "class":
            return f"through a {_class(act)} network"
        case "pause":
            return _PAUSES.get(reason.value, "")
        case "travel" | "campaign":
            return _NUMBERS[reason.name].format(reason.value)
    return _WORDS.get(reason.name, {}).get(reason.value, _ELSE.get(reason.name, ""))


_NUMBERS = {
    "travel": "{} from where the subject had just been, faster than one can travel",
    "campaign": "from a network where {} accounts were tried in vain",
}
_ELSE = {"change": "by somebody who seldom changes networks"}


def _network(act: Act, value: str) -> str:
    provider = f"AS{act.asn}" if act.asn is not None else "this network"
    match value:
        case "known":
            return "from a known network"
        case "same_provider":
            return f"from a new network of {provider}, which is known"
        case "new_provider":
            return f"for the first time on {provider} ({_class(act)})"
        case _:
            return f"for the first time in {act.cc or 'another country'}, on {provider} ({_class(act)})"


def _class(act: Act) -> str:
    return CLASSES[act.cls] if act.cls else "unknown"
