"""docs/asyncapi.yaml: what stands on Kafka, from the events and their schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from eventlog.kafka.cloudevents import WATERMARK, Message
from eventlog.kafka.topics import RETENTION_MS, REVOCATIONS, SESSIONS, Topic
from rescind.events.registry import EVENTS
from rescind.events.revocation import REVOCATION_EVENTS
from rescind.events.schema import schema

_HEAD = "# Made by `make docs` from the events' schemas; do not edit.\n"
_POSITION = {"type": "string", "pattern": r"^(0|[1-9][0-9]{0,17})\.(0|[1-9][0-9]{0,17})$"}
_BINDING = "0.5.0"


def text() -> str:
    """The whole document."""
    return _HEAD + yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=120)


def document() -> dict[str, Any]:
    """AsyncAPI 3.0."""
    lists = {each.wire for each in REVOCATION_EVENTS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rescind on Kafka",
            "version": "1.0.0",
            "description": (
                "CloudEvents 1.0 in binary mode. The value is the event's JSON, everything else stands in headers. Personal data "
                "is in `ce_personal` only, sealed. A consumer keeps one position for each source and partition: what is at or "
                "before it has been seen; where `ce_prev` is beyond it something was missed, and is fetched from "
                "GET /v1/log/records. A new version of an event has a new name; fields are never changed in place. The topics "
                "rescind.anomalies.v1 and rescind.audit.v1 are made, and nothing is written to them yet."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": {"host": "kafka:9092", "protocol": "kafka", "description": "SASL_SSL where an account is set."}},
        "channels": {
            "sessions": _channel(SESSIONS, "What the issuer's log says; in order for each subject.", set(EVENTS) - lists),
            "revocations": _channel(REVOCATIONS, "What the list's own log says; in total order, keyed by target.", lists),
        },
        "operations": {
            "tellSessions": {"action": "send", "channel": {"$ref": "#/channels/sessions"}, "summary": "The relay."},
            "tellRevocations": {"action": "send", "channel": {"$ref": "#/channels/revocations"}, "summary": "The list's log."},
        },
        "components": {
            "messages": {_name(wire): _record(wire) for wire in sorted(EVENTS)} | {_name(WATERMARK): _watermark()},
            "schemas": {"RecordHeaders": _headers(_RECORD, _OPTIONAL), "WatermarkHeaders": _headers(_MARK, {})},
        },
    }


_MARK: Mapping[str, Mapping[str, object]] = {
    "content-type": {"type": "string", "const": "application/json"},
    "ce_specversion": {"type": "string", "const": "1.0"},
    "ce_id": {"type": "string", "description": "The same however often the record arrives."},
    "ce_source": {"type": "string", "description": "Whose log: the issuer's `iss`, or urn:rescind:revocations."},
    "ce_type": {"type": "string", "description": "The event's name with its version."},
    "ce_position": {**_POSITION, "description": "EPOCH.SEQ in the source's log."},
    "ce_prev": {**_POSITION, "description": "Up to here everything for this partition was sent before."},
}
_RECORD: Mapping[str, Mapping[str, object]] = {
    **_MARK,
    "ce_time": {"type": "string", "format": "date-time", "description": "RFC 3339, milliseconds, UTC."},
    "ce_subject": {"type": "string", "description": "The session, else the key."},
    "ce_partitionkey": {"type": "string", "description": "The same as the message's key."},
    "ce_stream": {"type": "string"},
    "ce_streamversion": {"type": "string", "pattern": "^(0|[1-9][0-9]{0,17})$"},
    "ce_hash": {"type": "string", "description": "The chain hash at this position, base64."},
}
_OPTIONAL: Mapping[str, Mapping[str, object]] = {
    "ce_replaces": {
        **_POSITION,
        "description": "The log was put back and has written this since: up to here the topic may hold others in its place.",
    },
    "ce_logsubject": {"type": "string", "description": "The log's own id of the subject."},
    "ce_session": {"type": "string", "description": "The session."},
    "ce_target": {
        "type": "string",
        "description": "The key of a revocation: TYPE:ISS:ID, or a subject's name.",
    },
    "ce_personal": {"type": "string", "description": "Sealed personal data, base64."},
}


def misfits(document: Any, message: Message) -> list[str]:
    """What of a message the document does not allow."""
    headers = {name: value.decode() for name, value in message.headers}
    (known,) = [each for each in document["components"]["messages"].values() if each["name"] == headers["ce_type"]]
    pairs = ((known["headers"], headers), (known["payload"], json.loads(message.value or b"null")))
    return [
        error.message
        for part, given in pairs
        for error in Draft202012Validator({**part, "components": document["components"]}).iter_errors(given)
    ]


def _headers(required: Mapping[str, Mapping[str, object]], optional: Mapping[str, Mapping[str, object]]) -> dict[str, Any]:
    properties = {name: dict(about) for name, about in {**required, **optional}.items()}
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _channel(topic: Topic, words: str, wires: Iterable[str]) -> dict[str, Any]:
    names = [_name(wire) for wire in [*sorted(wires), WATERMARK]]
    return {
        "address": topic.name,
        "description": words,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": RETENTION_MS},
                "bindingVersion": _BINDING,
            }
        },
    }


def _record(wire: str) -> dict[str, Any]:
    payload = {name: part for name, part in schema(EVENTS[wire], wire).items() if name != "$schema"}
    return {
        "name": wire,
        "title": EVENTS[wire].__name__,
        "contentType": "application/json",
        "headers": _of_type("RecordHeaders", wire),
        "payload": payload,
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": _BINDING}},
    }


def _watermark() -> dict[str, Any]:
    properties = {"applied": dict(_POSITION), "live_sessions": {"type": "integer"}, "time": {"type": "integer"}}
    return {
        "name": WATERMARK,
        "title": "Watermark",
        "summary": "Everything up to ce_position was sent; in every partition. `time` is the source's, in milliseconds. No key.",
        "contentType": "application/json",
        "headers": _of_type("WatermarkHeaders", WATERMARK),
        "payload": {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False},
    }


def _of_type(headers: str, wire: str) -> dict[str, Any]:
    known = {"$ref": f"#/components/schemas/{headers}"}
    return {"type": "object", "allOf": [known, {"type": "object", "properties": {"ce_type": {"type": "string", "const": wire}}}]}


def _name(wire: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[._]", wire))
