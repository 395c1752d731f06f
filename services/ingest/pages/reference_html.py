"""JSON Schemas as tables for people. Pure."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

Json = Mapping[str, Any]


def anchor(name: str) -> str:
    """The id of a model's table on a page."""
    return f"model-{name}"


def model_table(name: str, schema: Json) -> str:
    """Write the members of a model."""
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(member)}</code></td><td>{type_words(each)}</td>"
        f"<td>{_notes(each, is_required=member in required)}</td></tr>"
        for member, each in schema.get("properties", {}).items()
    )
    words = f"<p>{escape(str(schema.get('description', '')).splitlines()[0])}</p>" if schema.get("description") else ""
    return (
        f'<section class="card" id="{anchor(name)}"><h3>{escape(name)}</h3>{words}'
        f'<div class="scroll" tabindex="0" role="region" aria-label="Members of {escape(name)}"><table><thead><tr>'
        '<th scope="col">Member</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def type_words(schema: Json) -> str:
    """Name a type; a model is a link to its table."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f'<a href="#{anchor(name)}">{escape(name)}</a>'
    if "anyOf" in schema:
        return " or ".join(type_words(each) for each in schema["anyOf"])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "enum" in schema:
        return " ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return _list_words(schema)
    return escape(str(schema.get("format", schema.get("type", "anything"))))


def _list_words(schema: Json) -> str:
    inner: Sequence[Json] = schema.get("prefixItems") or [schema.get("items", {})]
    count = f"{len(inner)} of " if "prefixItems" in schema else "list of "
    return f"{count}{type_words(inner[0])}"


def _notes(schema: Json, *, is_required: bool) -> str:
    limits = {
        "minimum": "at least {}",
        "maximum": "at most {}",
        "minLength": "at least {} characters",
        "maxLength": "at most {} characters",
        "pattern": "matches {}",
    }
    notes = [] if is_required else ["may be absent"]
    notes += [escape(str(schema["description"]))] if "description" in schema else []
    notes += [
        words.format(f"<code>{escape(str(schema[name]))}</code>" if name == "pattern" else schema[name])
        for name, words in limits.items()
        if name in schema
    ]
    return "; ".join(notes)
