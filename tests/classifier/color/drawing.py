"""Drawn product photos whose colors are known."""

import numpy as np

from services.classifier.color.photo import Bytes

WHITE = (255, 255, 255)


def plain(color: tuple[int, ...], size: tuple[int, int] = (112, 84)) -> Bytes:
    return np.full((*size, len(color)), color, dtype=np.uint8)


def product_on(background: tuple[int, int, int], color: tuple[int, int, int]) -> Bytes:
    pixels = plain(background)
    pixels[20:92, 16:68] = color
    return pixels
