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
    "lenient": {"summary": "With `Prefer: handling=lenient`: no label, no category", "value": LENIENT},
}
"""Examples of the OpenAPI document; a test sends each of them."""


def one_result() -> Json:
    """One result as the endpoint gives it."""
    report: Json = json.loads((EXAMPLES / "report.v1.json").read_bytes())
    result: Json = report["items"][0]
    return result
