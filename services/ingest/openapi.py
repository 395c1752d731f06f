"""The endpoint's description (OpenAPI 3.1), generated from the models that validate and answer. Pure."""

from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.api import Accepted, AcceptedWithResults, Canceling, Error, InferenceList, Problem, Status
from schemas.fields import BUCKET_PATH_PATTERN, MAX_BATCH, MAX_URL
from schemas.results import ResultItem
from services.ingest.cursors import MAX_PAGE
from services.ingest.pages.examples import REQUESTS
from services.ingest.refusals import error_name
from services.ingest.request_headers import MAX_WAIT_SECONDS
from services.ingest.validation import RequestedImage

Json = dict[str, Any]

_REPLIES: Final[tuple[type[BaseModel], ...]] = (
    *(Accepted, AcceptedWithResults, Canceling, Status, InferenceList, ResultItem, Error, Problem),
)
_SUBMIT_ERRORS: Final = (400, 401, 403, 408, 409, 413, 415, 417, 422, 429, 500, 503)
_READ_ERRORS: Final = (401, 403, 404, 417, 429, 500)
_RETRY: Final = frozenset({409, 429, 503})
_EVENT: Final = {
    "type": "object",
    "properties": {
        "event": {"enum": ["snapshot", "results", "done"]},
        "id": {"type": "string", "description": "for Last-Event-ID"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_IN_A_BUCKET: Final = {"type": "string", "maxLength": MAX_URL, "pattern": BUCKET_PATH_PATTERN}
_WEB_OR_BUCKET: Final = (
    "an absolute http or https URL, or the path of an object in a bucket that images are read from, such as "
    "s3://bucket/folder/shoe.jpg"
)
_REQUEST_ID: Final = {"$ref": "#/components/headers/RequestId"}


def document(*, reads_buckets: bool = False) -> Json:
    """Describe all paths; with `reads_buckets`, images may lie in buckets, too. Everyone reads this: none is named."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "huestream",
            "version": "1",
            "summary": "Classifies the colors of product images, in batches.",
        },
        "security": [{"key": []}],
        "paths": {
            "/inference/color-classification": {"post": _submit()},
            "/inference/{inference_id}/status": {"get": _status()},
            "/inference/{inference_id}/results": {"get": _results()},
            "/inference/{inference_id}/events": {"get": _events()},
            "/inference/{inference_id}": {"delete": _cancel()},
            "/inferences": {"get": _list()},
        },
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "x-vody-api-key"}},
            "schemas": _schemas(reads_buckets=reads_buckets),
            "headers": {
                "RequestId": {"schema": {"type": "string"}, "description": "names the request in the logs"},
                "RetryAfter": {"schema": {"type": "string", "pattern": "^[0-9]+$"}, "description": "seconds"},
            },
        },
    }


def _schemas(*, reads_buckets: bool) -> Json:
    template = "#/components/schemas/{model}"
    _, asked = models_json_schema([(RequestedImage, "validation")], ref_template=template)
    _, answered = models_json_schema([(model, "serialization") for model in _REPLIES], ref_template=template)
    schemas: Json = asked["$defs"] | answered["$defs"]
    if reads_buckets:
        members = schemas[RequestedImage.__name__]["properties"]
        members["image_path"] = {"anyOf": [members["image_path"], _IN_A_BUCKET], "description": _WEB_OR_BUCKET}
    return schemas


def _submit() -> Json:
    images = {"type": "array", "items": _ref(RequestedImage), "minItems": 1, "maxItems": MAX_BATCH}
    accepted = _reply("accepted", {"application/json": {"anyOf": [_ref(Accepted), _ref(AcceptedWithResults)]}})
    accepted["headers"] = accepted["headers"] | {
        "Link": {
            "schema": {"type": "string"},
            "description": "where the endpoint has results pages: the path of the one of this batch, which opens "
            'without a key; rel="alternate"',
        }
    }
    accepted["links"] = {name: _link(name) for name in ("status", "results")}
    return {
        "operationId": "submit",
        "summary": "Submit 1 to 250 images",
        "description": "Answers when the batch is durable. The report comes by mail; results can be read at any time.",
        "parameters": [
            _header("Idempotency-Key", "makes a retry the same batch", {"type": "string", "pattern": "^[ -~]{1,255}$"}),
            _header("Webhook-URL", "told when the batch is finished, instead of that of the key", {"type": "string"}),
            _header(
                "Prefer",
                f"handling=lenient makes hex_color_label and category optional; wait=N, at most {MAX_WAIT_SECONDS}, "
                "waits so many seconds for the results",
                {"type": "string", "examples": ["handling=lenient", "wait=2"]},
            ),
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": images, "examples": REQUESTS}},
        },
        "responses": {"200": accepted} | _errors(*_SUBMIT_ERRORS),
    }


def _status() -> Json:
    return {
        "operationId": "status",
        "summary": "How far a batch is",
        "parameters": [_inference_id()],
        "responses": {"200": _reply("how far it is", {"application/json": _ref(Status)})} | _errors(*_READ_ERRORS),
    }


def _results() -> Json:
    forms = {
        "application/json": {"type": "array", "items": _ref(ResultItem)},
        "application/x-ndjson": {"type": "string", "description": "one result a line"},
        "text/csv": {"type": "string"},
    }
    return {
        "operationId": "results",
        "summary": "The results in input order; those that exist so far while the batch is in progress",
        "parameters": [_inference_id()],
        "responses": {"200": _reply("results", forms)} | _errors(*_READ_ERRORS, 410, 503),
    }


def _events() -> Json:
    return {
        "operationId": "events",
        "summary": "Server-sent events: snapshot, results as they come, done",
        "parameters": [
            _inference_id(),
            _header("Last-Event-ID", "the id of the last event that was seen", {"type": "string"}),
        ],
        "responses": {
            "200": _reply("the stream; each event is as described", {"text/event-stream": _EVENT}),
            "204": {"description": "nothing more will come"},
        }
        | _errors(*_READ_ERRORS, 410, 503),
    }


def _cancel() -> Json:
    return {
        "operationId": "cancel",
        "summary": "End a batch: what is done stays, the rest is reported as canceled",
        "description": "Answers when that is durable; asked again, the answer is the same. A batch that has ended by "
        "itself is a 409.",
        "parameters": [_inference_id()],
        "responses": {"202": _reply("canceling", {"application/json": _ref(Canceling)})}
        | _errors(*_READ_ERRORS, 409, 503),
    }


def _list() -> Json:
    return {
        "operationId": "list",
        "summary": "The inferences of the key's owner, newest first",
        "parameters": [
            _query("limit", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 20}),
            _query("cursor", {"type": "string", "description": "next_cursor of the page before"}),
        ],
        "responses": {"200": _reply("a page", {"application/json": _ref(InferenceList)})}
        | _errors(400, 401, 403, 417, 429, 500),
    }


def _link(operation: str) -> Json:
    return {"operationId": operation, "parameters": {"inference_id": "$response.body#/inference_id"}}


def _inference_id() -> Json:
    return {
        "name": "inference_id",
        "in": "path",
        "required": True,
        "description": "from the reply to the submission",
        "schema": {"type": "string", "format": "uuid"},
    }


def _header(name: str, description: str, schema: Json) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": schema}


def _query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def _reply(description: str, forms: Json) -> Json:
    return {
        "description": description,
        "headers": {"x-request-id": _REQUEST_ID},
        "content": {name: {"schema": schema} for name, schema in forms.items()},
    }


def _errors(*codes: int) -> Json:
    forms = {"application/json": _ref(Error), "application/problem+json": _ref(Problem)}
    replies = {str(code): _reply(error_name(code), forms) for code in codes}
    for code in _RETRY.intersection(codes):
        headers = replies[str(code)]["headers"]
        replies[str(code)]["headers"] = headers | {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}}
    return replies


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": f"#/components/schemas/{model.__name__}"}
