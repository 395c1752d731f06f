import numpy as np
import pytest

from services.classifier.color.analyzing import view_of
from services.classifier.color.groups import kind_of
from services.classifier.color.photo import Bytes

SKIN, NAVY, LEATHER = (214, 160, 130), (30, 40, 80), (90, 50, 30)


def person_on_white(shirt: tuple[int, int, int]) -> Bytes:
    y, x = np.mgrid[:112, :75]
    beside = np.abs(x - 37)
    arms = np.abs(beside - 15) < 3
    pixels = np.full((112, 75, 3), 255, dtype=np.uint8)
    pixels[(beside / 6) ** 2 + ((y - 11) / 8) ** 2 < 1] = SKIN
    pixels[(y > 19) & (y < 50) & (beside < np.where(y > 30, 11, 13))] = shirt
    pixels[arms & (y > 21) & (y < 36)] = shirt
    pixels[arms & (y >= 36) & (y < 56)] = SKIN
    pixels[(y >= 50) & (y < 104) & (np.abs(beside - 7) < 6)] = NAVY
    pixels[(y >= 102) & (y < 109) & (beside > 1) & (beside < 14)] = LEATHER
    return pixels


@pytest.mark.parametrize("shade", [250, 246])
def test_a_white_shirt_on_a_white_wall_is_the_product_and_not_the_trousers(shade: int) -> None:
    pixels = person_on_white((shade, shade, shade))
    product = view_of(pixels, kind_of("Shirt")).product
    mean = np.average(pixels[product.mask], axis=0, weights=product.weight[product.mask])
    assert product.mask.mean() > 0.08
    assert mean == pytest.approx(shade, abs=5)
