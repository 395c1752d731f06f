from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.classifier.color.parts import (
    CHANNELS,
    PARTS,
    SIDE,
    Floats,
    Mask,
    Pixels,
    network_inputs,
    part_map,
)

Photo = tuple[Pixels, Mask, Floats]


def part_probabilities(colors: Pixels, mask: Mask, distance: Floats) -> Floats:
    parts = part_map(colors, mask, distance)
    return np.stack([parts.likely(name) for name in PARTS], axis=-1)


def noise(height: int, width: int, seed: int = 0) -> Photo:
    chance = np.random.default_rng(seed)
    colors = chance.integers(0, 256, (height, width, 3), dtype=np.uint8)
    return colors, chance.random((height, width)) > 0.5, chance.random((height, width), dtype=np.float32)


def box_on_white(color: tuple[int, int, int]) -> Photo:
    colors = np.full((112, 112, 3), 255, np.uint8)
    mask = np.zeros((112, 112), np.bool_)
    mask[40:76, 26:86] = True
    colors[mask] = color
    return colors, mask, np.where(mask, np.float32(0.5), np.float32(0))


@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 150), width=st.integers(1, 150), seed=st.integers(0, 2**32 - 1))
def test_each_pixel_has_probabilities_that_sum_to_one(height: int, width: int, seed: int) -> None:
    told = part_probabilities(*noise(height, width, seed))
    assert told.shape == (height, width, len(PARTS))
    assert told.dtype == np.float32
    assert told.min() >= 0
    np.testing.assert_allclose(told.sum(-1), 1, atol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 112), (112, 1), (3, 2000), (2000, 3), (63, 65), (64, 64)])
def test_any_shape_is_answered(height: int, width: int) -> None:
    told = part_probabilities(*noise(height, width))
    assert told.shape == (height, width, len(PARTS))
    assert np.isfinite(told).all()


def test_the_same_photo_gives_the_same_bits_whatever_came_between() -> None:
    photo = noise(112, 84)
    first = part_probabilities(*photo).tobytes()
    for height, width in product((1, 50, 112), repeat=2):
        part_probabilities(*noise(height, width, seed=1))
    assert part_probabilities(*photo).tobytes() == first


def test_the_photo_is_left_as_it_was() -> None:
    photo = noise(90, 120)
    before = [values.tobytes() for values in photo]
    part_probabilities(*photo)
    assert [values.tobytes() for values in photo] == before


def test_views_and_contiguous_arrays_give_the_same_bits() -> None:
    colors, mask, distance = noise(100, 80)
    mirrored = (colors[:, ::-1], mask[:, ::-1], distance[:, ::-1])
    copied = tuple(np.ascontiguousarray(values) for values in mirrored)
    assert part_probabilities(*mirrored).tobytes() == part_probabilities(copied[0], copied[1], copied[2]).tobytes()


def test_inputs_are_averages_of_what_they_cover() -> None:
    colors = np.zeros((2 * SIDE, SIDE, 3), np.uint8)
    colors[::2] = 255
    inputs = network_inputs(colors, np.ones((2 * SIDE, SIDE), np.bool_), np.full((2 * SIDE, SIDE), 9, np.float32))
    assert inputs.shape == (CHANNELS, SIDE, SIDE)
    np.testing.assert_allclose(inputs[:3], 2 * (0.5 - 0.6), atol=1e-5)
    np.testing.assert_allclose(inputs[3], 0.5, atol=1e-6)
    np.testing.assert_allclose(inputs[4], 4 * 0.4, atol=1e-6)


@pytest.mark.parametrize("color", [(20, 60, 160), (180, 30, 30), (30, 30, 30)])
def test_a_thing_on_white_is_not_background_and_white_is(color: tuple[int, int, int]) -> None:
    colors, mask, distance = box_on_white(color)
    background = part_probabilities(colors, mask, distance)[:, :, PARTS.index("background")]
    assert background[mask].mean() < 0.2
    assert background[~mask].mean() > 0.9


def test_parts_that_are_asked_for_together_are_added() -> None:
    parts = part_map(*noise(60, 80))
    np.testing.assert_array_equal(parts.likely("torso", "other"), parts.likely("torso") + parts.likely("other"))
