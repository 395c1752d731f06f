"""What the documentation sends and shows. Pure."""

import json
from typing import Any, Final

from schemas.export import EXAMPLES

Json = dict[str, Any]

ONE_IMAGE: Final[list[Json]] = [
    {
        "image_path": "https://shop.example/images/scarlet-sneaker.jpg",
        "product_type": "Sneakers",
        "hex_color_label": "#FE2934",
        "category": "Fashion",
    }
]
TWO_IMAGES: Final[list[Json]] = [
    ONE_IMAGE[0] | {"custom_id": "SKU-1042"},
    {
        "image_path": "https://shop.example/images/mug.png",
        "product_type": "Mug",
        "hex_color_label": "#2C5FA8",
        "category": "Kitchen",
        "custom_id": "SKU-1043",
    },
]
LENIENT: Final[list[Json]] = [{"image_path": "https://shop.example/images/mug.png", "product_type": "Mug"}]

REQUESTS: Final[dict[str, Json]] = {
    "one image": {"summary": "One image", "value": ONE_IMAGE},
    "two images with ids": {"summary": "Two images with ids of your own", "value": TWO_IMAGES},
    "lenient": {"summary": "With Prefer: handling=lenient, no label and no category", "value": LENIENT},
}
"""Examples of the OpenAPI document; a test sends each of them."""


def own_image(address: str) -> list[Json]:
    """A call about the picture that the endpoint itself serves, so that it works wherever the endpoint does."""
    return [{"image_path": address, "product_type": "T-shirt", "hex_color_label": "#C8243B", "category": "Fashion"}]


def webhook_example(origin: str) -> Json:
    """A webhook as the reporter sends it."""
    inference = f"{origin}/inference/3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10"
    data = {
        "id": "3f0c9a52-8f0e-4d0b-9a54-0c1f6f2d7b10",
        "status": "completed",
        "total": 250,
        "succeeded": 248,
        "failed": 2,
        "created_at": "2026-11-24T09:30:00Z",
        "finished_at": "2026-11-24T09:30:12Z",
        "results_url": f"{inference}/results",
        "view_url": f"{inference}/view?token=...",
    }
    return {"type": "inference.completed", "timestamp": "2026-11-24T09:30:12Z", "data": data}


def one_result() -> Json:
    """One result as the endpoint gives it."""
    report: Json = json.loads((EXAMPLES / "report.v1.json").read_bytes())
    result: Json = report["items"][0]
    return result
