import pytest

from services.classifier.color import analyze
from services.classifier.color.cielab import lab_from_srgb
from services.classifier.color.hexes import srgb_from_hex
from services.classifier.color.names import nearest_family
from services.classifier.decoding import decode
from services.demo.offer import PRODUCTS, Product
from tests.drawings import drawing


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.file_name)
def test_a_drawn_product_has_the_family_that_it_is_drawn_in(product: Product) -> None:
    pixels = decode(drawing(product), 10_000_000)
    answer = analyze(pixels, product_type=product.product_type, category=product.category, label=None)
    assert answer.primary.family == nearest_family(lab_from_srgb(srgb_from_hex(product.color)))
