"""Measures of answers that carry a confidence or a score."""

from collections.abc import Sequence

import numpy as np


def mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def margin(right: Sequence[bool]) -> float:
    """Half the width of the 95 % interval of a share, by the normal approximation.

    >>> round(margin([True] * 90 + [False] * 10), 3)
    0.059
    """
    share = mean(right)
    return 1.96 * float(np.sqrt(share * (1 - share) / len(right)))


def at_coverage(right: Sequence[bool], confidence: Sequence[float], coverage: float) -> float:
    """Accuracy among the most confident share of the answers.

    >>> at_coverage([True, False, True, False], [0.9, 0.2, 0.8, 0.7], 0.5)
    1.0
    """
    best = np.argsort(-np.asarray(confidence), kind="stable")[: max(1, round(coverage * len(right)))]
    return mean(np.asarray(right)[best])


def calibration_error(right: Sequence[bool], confidence: Sequence[float], bins: int = 10) -> float:
    """Expected calibration error over bins of equal width (Naeini et al. 2015).

    >>> calibration_error([True, True, False, True], [0.75, 0.75, 0.75, 0.75])
    0.0
    """
    correct, sure = np.asarray(right, dtype=float), np.asarray(confidence)
    bin_of = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs((correct - sure)[bin_of == number].sum()) for number in range(bins)]
    return float(sum(gaps) / len(correct))


def area_under_curve(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The probability that a positive scores above a negative, ties counted half.

    >>> area_under_curve([2, 3], [1, 2])
    0.875
    """
    above = np.asarray(positive)[:, None] - np.asarray(negative)[None, :]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def balanced_accuracy(positive_found: Sequence[bool], negative_found: Sequence[bool]) -> float:
    """The mean of both classes' recalls; each value says whether one of that class was told right."""
    return (mean(positive_found) + mean(negative_found)) / 2
