"""The reference of the endpoint, from its OpenAPI document. Pure."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from services.ingest.pages.markup import shown_json
from services.ingest.pages.reference_html import model_table, type_words

Json = Mapping[str, Any]


def api_content(document: Json) -> str:
    """Write all operations, then all models."""
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    listed = "".join(f'<a href="#{each["operationId"]}">{escape(each["operationId"])}</a>' for _, _, each in operations)
    shown = "".join(_operation(*each) for each in operations)
    models = "".join(model_table(name, schema) for name, schema in sorted(document["components"]["schemas"].items()))
    return (
        '<h1>API</h1><p class="lead">The endpoint, from the models that validate and answer. As a document: '
        '<a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>'
        f'<nav class="toc" aria-label="Operations">{listed}<a href="#models">Models</a></nav>{shown}'
        f'<h2 class="part" id="models">Models</h2>{models}'
    )


def _operation(method: str, path: str, operation: Json) -> str:
    description = f"<p>{escape(operation['description'])}</p>" if "description" in operation else ""
    return (
        f'<section class="card" id="{escape(operation["operationId"])}"><h2>'
        f'<code class="method">{method.upper()}</code> '
        f"<code>{escape(path)}</code></h2><p><b>{escape(operation['summary'])}</b></p>{description}"
        f"{_parameters(operation)}{_body(operation)}{_replies(operation)}</section>"
    )


def _parameters(operation: Json) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(each['name'])}</code></td><td>{each['in']}</td><td>{type_words(each['schema'])}</td>"
        f"<td>{escape(each.get('description', each['schema'].get('description', '')))}</td></tr>"
        for each in operation.get("parameters", ())
        if "name" in each
    )
    heads = ("Parameter", "In", "Type", "Meaning")
    return _table("Parameters", operation, heads, rows) if rows else ""


def _body(operation: Json) -> str:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return ""
    examples = "".join(
        f'<p class="quiet">{escape(each["summary"])}</p><pre tabindex="0" aria-label="{escape(each["summary"])}">'
        f"{shown_json(each['value'])}</pre>"
        for each in content.get("examples", {}).values()
    )
    return f"<h3>Body</h3><p>{type_words(content['schema'])}</p>{examples}"


def _replies(operation: Json) -> str:
    replies: list[tuple[str, Json]] = list(operation["responses"].items())
    refusals = [each for each in replies if each[0] >= "400"]
    rows = "".join(
        f"<tr><td>{status}</td><td>{escape(reply['description'])}</td><td>{_forms(reply)}</td></tr>"
        for status, reply in replies
        if status < "400"
    )
    return _table("Replies", operation, ("Status", "Meaning", "Body"), rows) + _refusals(refusals)


def _refusals(refusals: Sequence[tuple[str, Json]]) -> str:
    """All have the same body, in one of two forms."""
    if not refusals:
        return ""
    listed = "".join(f"<li>{status} {escape(reply['description'])}</li>" for status, reply in refusals)
    return f'<h3>Refusals</h3><p>{_forms(refusals[0][1])}</p><ul class="codes">{listed}</ul>'


def _forms(reply: Json) -> str:
    return "<br>".join(
        f"<code>{escape(form)}</code> {type_words(each['schema'])}" for form, each in reply.get("content", {}).items()
    )


def _table(title: str, operation: Json, heads: tuple[str, ...], rows: str) -> str:
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    label = f"{title} of {escape(operation['operationId'])}"
    return (
        f'<h3>{title}</h3><div class="scroll" tabindex="0" role="region" aria-label="{label}"><table><thead><tr>{head}'
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )
