from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the dependency group `training` is not installed")
pytest.importorskip("sklearn", reason="the dependency group `training` is not installed")

from services.classifier.color.analysis import FAMILIES
from services.classifier.color.families import softmax
from training.catalogs import Example
from training.naming import shares_of
from training.regression import fitted


def test_a_label_is_mostly_its_first_family_and_a_little_all_that_are_acceptable() -> None:
    example = Example(Path("a.jpg"), "own", "Shirt", "", "gray", ("gray", "white"))
    shares = dict(zip(FAMILIES, shares_of([example])[0].tolist(), strict=True))
    assert shares["gray"] == pytest.approx(0.85)
    assert shares["white"] == pytest.approx(0.15)
    assert sum(shares.values()) == pytest.approx(1)


def test_photos_that_count_more_move_the_classifier_further() -> None:
    features, start = np.ones((2, 1)), np.zeros((2, 12))
    shares = np.eye(12)[:2]
    weights, bias = fitted(features, shares, np.array([5.0, 1.0]), 1.0, start)
    told = softmax(features @ weights + bias)[0]
    assert told[0] > told[1] > told[2]


def test_a_classifier_that_is_right_already_is_left_where_it_is() -> None:
    features = np.eye(3)
    shares = np.full((3, 12), 1 / 12)
    weights, bias = fitted(features, shares, np.ones(3), 1.0, np.zeros((3, 12)))
    assert np.abs(weights).max() < 1e-4
    assert np.abs(bias).max() < 1e-4
