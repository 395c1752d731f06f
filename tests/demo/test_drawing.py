"""The brush of the demo's pictures."""

import numpy as np

from services.demo.drawing.brush import blurred, polygon


def test_a_shape_is_softened_alike_whether_or_not_all_around_it_is() -> None:
    shape = polygon([(0.3, 0.02), (0.6, 0.1), (0.4, 0.5)])
    whole = shape.copy()
    whole[0, 0] = whole[-1, -1] = 1e-30
    soft = blurred(shape, 0.03)
    np.testing.assert_allclose(soft, blurred(whole, 0.03), rtol=0, atol=1e-12)
    assert 0 < soft[soft > 0].min() < 0.01
    assert soft.shape == shape.shape


def test_where_there_is_no_shape_nothing_is_softened() -> None:
    empty = np.zeros_like(polygon([(0, 0), (1, 0), (1, 1)]))
    assert not blurred(empty, 0.1).any()
