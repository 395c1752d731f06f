"""The topics, from their AsyncAPI document. Pure."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from services.ingest.pages.markup import shown_json
from services.ingest.pages.reference_html import anchor, model_table

Json = Mapping[str, Any]
_DAY_MS: Final = 24 * 60 * 60 * 1000


def topics_content(document: Json) -> str:
    """Write all topics, then all models."""
    channels = document["channels"]
    listed = "".join(f'<a href="#{name}">{escape(each["address"])}</a>' for name, each in channels.items())
    shown = "".join(_topic(name, each, document) for name, each in channels.items())
    models = "".join(model_table(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    return (
        '<h1>Topics</h1><p class="lead">What the services tell each other over Kafka, and what a producer of its own '
        'writes. As a document: <a href="/asyncapi.json">/asyncapi.json</a> (AsyncAPI 3.0).</p>'
        f'<nav class="toc" aria-label="Topics">{listed}<a href="#models">Models</a></nav>{shown}'
        f'<h2 class="part" id="models">Models</h2>{models}'
    )


def _topic(name: str, channel: Json, document: Json) -> str:
    kafka = channel["bindings"]["kafka"]
    message = next(iter(channel["messages"]), None)
    facts = (
        ("Written by", _services(name, "send", document)),
        ("Read by", _services(name, "receive", document)),
        ("Carries", f'<a href="#{anchor(message)}">{escape(message)}</a>' if message else "records as they were found"),
        ("Partitions", str(kafka["partitions"])),
        ("Kept", _kept(kafka["topicConfiguration"])),
    )
    listed = "".join(f"<dt>{term}</dt><dd>{value}</dd>" for term, value in facts)
    return (
        f'<section class="card" id="{name}"><h2><code>{escape(channel["address"])}</code></h2>'
        f"<p>{escape(channel['description'])}</p><dl>{listed}</dl>{_example(message, document)}</section>"
    )


def _services(name: str, action: str, document: Json) -> str:
    return ", ".join(
        escape(each["tags"][0]["name"])
        for each in document["operations"].values()
        if each["action"] == action and each["channel"]["$ref"] == f"#/channels/{name}"
    )


def _kept(configuration: Json) -> str:
    if "retention.ms" not in configuration:
        return "the newest record of each key, for ever"
    return f"{configuration['retention.ms'] / _DAY_MS:g} days"


def _example(message: str | None, document: Json) -> str:
    if message is None:
        return ""
    payload = document["components"]["messages"][message]["examples"][0]["payload"]
    return f'<pre tabindex="0" aria-label="A {message}">{shown_json(payload)}</pre>'
