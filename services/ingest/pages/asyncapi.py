"""The description of the topics (AsyncAPI 3.0), generated from `schemas/topics.py` and the models. Pure."""

import json
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from schemas.events import Event
from schemas.export import EXAMPLES, event_name
from schemas.topics import REPLICAS, REPORTER_APP, TOPICS, Topic

Json = dict[str, Any]
SHOWN: Final = tuple(topic for topic in TOPICS if not topic.name.startswith(REPORTER_APP))
"""All topics but those in which the reporter's tables are kept: nobody else reads or writes them."""


def channel_id(topic: Topic) -> str:
    """Name a topic as identifiers are written.

    >>> channel_id(SHOWN[0])
    'products_submitted_v1'
    """
    return topic.name.replace(".", "_").replace("-", "_")


def example_of(event: type[Event]) -> Json:
    """Read the published example of an event."""
    found: Json = json.loads((EXAMPLES / f"{event_name(event)}.json").read_bytes())
    return found


def document() -> Json:
    """Describe all topics, who writes them and who reads them."""
    events = list(dict.fromkeys(topic.carries for topic in SHOWN if topic.carries))
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "huestream",
            "version": "1",
            "description": "The topics between the services. Every record is a JSON object in an envelope of type and "
            "version; members that a reader does not know are ignored.",
        },
        "defaultContentType": "application/json",
        "channels": {channel_id(topic): _channel(topic) for topic in SHOWN},
        "operations": {name: operation for topic in SHOWN for name, operation in _operations(topic).items()},
        "components": {
            "messages": {event.__name__: _message(event) for event in events},
            "schemas": _schemas(events),
        },
    }


def _channel(topic: Topic) -> Json:
    carried = topic.carries.__name__ if topic.carries else None
    messages = {carried: {"$ref": f"#/components/messages/{carried}"}} if carried else {}
    kafka = {
        "topic": topic.name,
        "partitions": topic.partitions,
        "replicas": REPLICAS,
        "topicConfiguration": _configuration(topic),
        "bindingVersion": "0.5.0",
    }
    return {
        "address": topic.name,
        "messages": messages,
        "description": _sentence(topic),
        "bindings": {"kafka": kafka},
    }


def _configuration(topic: Topic) -> Json:
    """The broker's settings that the binding has names for."""
    if topic.compacted:
        return {"cleanup.policy": ["compact"]}
    return {"cleanup.policy": ["delete"], "retention.ms": topic.retention_ms}


def _sentence(topic: Topic) -> str:
    if topic.carries is None:
        return "Records that could not be decoded, as they were found; origin and reason stand in their headers."
    return _first_line(topic.carries)


def _operations(topic: Topic) -> dict[str, Json]:
    channel = {"$ref": f"#/channels/{channel_id(topic)}"}
    writes = {
        f"{service}_writes_{channel_id(topic)}": {"action": "send", "channel": channel, "tags": [{"name": service}]}
        for service in topic.written_by
    }
    reads = {
        f"{service}_reads_{channel_id(topic)}": {"action": "receive", "channel": channel, "tags": [{"name": service}]}
        for service in topic.read_by
    }
    return writes | reads


def _message(event: type[Event]) -> Json:
    return {
        "name": event_name(event),
        "title": event.__name__,
        "summary": _first_line(event),
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        "examples": [{"name": event_name(event), "payload": example_of(event)}],
    }


def _first_line(event: type[Event]) -> str:
    return (event.__doc__ or "").strip().splitlines()[0]


def _schemas(events: list[type[Event]]) -> Json:
    _, found = models_json_schema(
        [(event, "serialization") for event in events], ref_template="#/components/schemas/{model}"
    )
    schemas: Json = found["$defs"]
    return schemas
