"""What the demo submits: drawn products with labels, one of them wrong, and two addresses that lead to no image."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.events import ImageFields
from services.demo.drawing import products
from services.demo.drawing.products import Draw

_JPEG_QUALITY: Final = 90


@dataclass(frozen=True)
class Product:
    """A picture to draw, and what the catalog says of it."""

    file_name: str
    draw: Draw
    color: str
    """What it is drawn in."""
    product_type: str
    category: str
    wrong_label: str | None = None
    """What the catalog claims instead, where it is mistaken."""

    @property
    def label(self) -> str:
        """The color that the catalog claims."""
        return self.wrong_label or self.color


PRODUCTS: Final = (
    Product("t-shirt.jpg", products.t_shirt, "#C8243B", "T-shirt", "Fashion"),
    Product("summer-dress.jpg", products.dress, "#1E7A5A", "Dress", "Fashion"),
    Product("coffee-mug.png", products.mug, "#2C5FA8", "Mug", "Kitchen"),
    Product("sneaker.webp", products.sneaker, "#E8742C", "Sneaker", "Shoes"),
    Product("handbag.jpg", products.handbag, "#8A5A34", "Handbag", "Bags", wrong_label="#1F4E9E"),
    Product("armchair.jpg", products.chair, "#D9A62E", "Chair", "Furniture"),
    Product("table-lamp.jpg", products.lamp, "#E59AAE", "Lamp", "Furniture"),
    Product("phone.png", products.phone, "#1B1D21", "Phone", "Electronics"),
    Product("striped-sweater.jpg", products.striped_sweater, "#22345E", "Sweater", "Fashion"),
    Product("beach-ball.jpg", products.beach_ball, "#E2483D", "Ball", "Toys"),
    Product("beanie.webp", products.beanie, "#6B4A9C", "Beanie", "Fashion"),
    Product("velvet-cushion.jpg", products.cushion, "#3E7F86", "Cushion", "Furniture"),
)
TEXT_FILE: Final = "rain-jacket.jpg"
"""Named like a picture, and a text."""
TEXT: Final = b"The photographer sends this picture on Monday.\n"
MISSING_FILE: Final = "umbrella.jpg"
"""In the catalog, and on no disk."""
_FORMATS: Final = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}


def drawn(product: Product) -> bytes:
    """Draw a product and encode it as its file name says."""
    file = io.BytesIO()
    kind = _FORMATS[product.file_name.rpartition(".")[2]]
    product.draw(product.color).image().save(file, kind, quality=_JPEG_QUALITY)
    return file.getvalue()


def offer_items(address: str) -> list[ImageFields]:
    """Write the catalog; `address` is the URL of the folder that holds the files."""
    return [
        ImageFields(image_path=f"{address}/{file}", product_type=product, hex_color_label=label, category=category)
        for file, product, label, category in _rows(PRODUCTS)
    ]


def _rows(offered: Sequence[Product]) -> Iterator[tuple[str, str, str, str]]:
    for product in offered:
        yield product.file_name, product.product_type, product.label, product.category
    yield TEXT_FILE, "Jacket", "#F2C230", "Fashion"
    yield MISSING_FILE, "Umbrella", "#2F6B4F", "Accessories"
