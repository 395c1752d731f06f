import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.color.flood import BitGrid, connected_to_border, eroded
from services.classifier.color.photo import Mask


@st.composite
def masks(draw: st.DrawFn) -> Mask:
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    bits = draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    return np.array(bits, dtype=np.bool_).reshape(height, width)


def walked(mask: Mask) -> Mask:
    height, width = mask.shape
    reached = np.zeros_like(mask)
    edge = [(y, x) for y in range(height) for x in range(width) if y in {0, height - 1} or x in {0, width - 1}]
    while edge:
        y, x = edge.pop()
        if 0 <= y < height and 0 <= x < width and mask[y, x] and not reached[y, x]:
            reached[y, x] = True
            edge += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return reached


@given(masks())
def test_the_flood_reaches_what_a_walk_from_the_border_reaches(mask: Mask) -> None:
    assert (connected_to_border(mask) == walked(mask)).all()


@given(masks())
def test_a_mask_is_packed_and_unpacked_unchanged(mask: Mask) -> None:
    grid = BitGrid(*mask.shape)
    assert (grid.unpacked(grid.packed(mask)) == mask).all()


@given(masks())
def test_erosion_leaves_only_what_was_there(mask: Mask) -> None:
    assert not (eroded(mask) & ~mask).any()
