"""What the demo draws and offers."""

import io

import numpy as np
import pytest
from PIL import Image

from services.demo.offer import MISSING_FILE, PRODUCTS, TEXT_FILE, Product, drawn, offer_items
from tests.drawings import drawing


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.file_name)
def test_a_product_is_drawn_in_its_color_and_in_the_format_of_its_name(product: Product) -> None:
    content = drawing(product)
    image = Image.open(io.BytesIO(content))
    kind = product.file_name.rpartition(".")[2]
    assert image.format == {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[kind]
    color = np.array([int(product.color[place : place + 2], 16) for place in (1, 3, 5)])
    distance = np.abs(np.asarray(image.convert("RGB")).astype(int) - color).max(axis=2)
    assert (distance < 40).mean() > 0.04


def test_the_same_picture_is_drawn_each_time() -> None:
    assert drawn(PRODUCTS[0]) == drawing(PRODUCTS[0])


def test_the_catalog_holds_a_wrong_label_a_text_and_a_file_that_is_nowhere() -> None:
    items = offer_items("http://127.0.0.1:1")
    files = [item.image_path.rpartition("/")[2] for item in items]
    assert len(files) == len(set(files)) == len(PRODUCTS) + 2
    assert {TEXT_FILE, MISSING_FILE} <= set(files)
    assert sum(product.wrong_label is not None for product in PRODUCTS) == 1
