"""The published JSON Schemas, generated from the models; a test holds the files against what this makes."""

import json
from pathlib import Path
from typing import Final

from schemas.events import EVENTS, Event
from schemas.results import Report

PUBLISHED: Final = Path(__file__).parent / "published"
EXAMPLES: Final = Path(__file__).parent / "examples"


def event_name(event: type[Event]) -> str:
    """Name an event with its version, as its schema and its example are named.

    >>> from schemas.events import ImageSubmitted
    >>> event_name(ImageSubmitted)
    'image.submitted.v1'
    """
    return f"{event.model_fields['type'].default}.v{event.model_fields['version'].default}"


def published_schemas() -> dict[str, str]:
    """Generate the text of every published schema, by file name."""
    models = {event_name(event): event for event in EVENTS} | {"report.v1": Report}
    return {
        f"{name}.json": _text({"$schema": "https://json-schema.org/draft/2020-12/schema"} | model.model_json_schema())
        for name, model in models.items()
    }


def _text(document: dict[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
