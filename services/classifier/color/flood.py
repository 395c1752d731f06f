"""Masks as big integers, one bit a pixel: exact shifts, floods and erosion without a loop over pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.classifier.color.photo import Mask


@dataclass(frozen=True)
class BitGrid:
    """How a mask (height, width) lies in one integer: rows with a guard column, so that shifts never wrap."""

    height: int
    width: int

    @property
    def row(self) -> int:
        """Bits from one pixel to the one below."""
        return self.width + 1

    def packed(self, mask: Mask) -> int:
        """Pack a mask; bit 0 is its first pixel."""
        guarded = np.zeros((self.height, self.row), dtype=np.bool_)
        guarded[:, :-1] = mask
        return int.from_bytes(np.packbits(guarded, bitorder="little").tobytes(), "little")

    def unpacked(self, bits: int) -> Mask:
        """Unpack an integer that `packed` made."""
        size = self.height * self.row
        raw = np.frombuffer(bits.to_bytes((size + 7) // 8, "little"), dtype=np.uint8)
        flat = np.unpackbits(raw, count=size, bitorder="little").view(np.bool_)
        return flat.reshape(self.height, self.row)[:, :-1]

    def spread(self, bits: int, within: int) -> int:
        """Grow by the four neighbors, inside a mask."""
        return (bits | bits << 1 | bits >> 1 | bits << self.row | bits >> self.row) & within


def connected_to_border(mask: Mask) -> Mask:
    """Keep the pixels from which a path of neighbors inside the mask leads to the edge of the frame."""
    grid = BitGrid(*mask.shape)
    within = grid.packed(mask)
    edge = np.zeros(mask.shape, dtype=np.bool_)
    edge[[0, -1], :] = True
    edge[:, [0, -1]] = True
    return grid.unpacked(_flooded(grid, within & grid.packed(edge), within))


def connected_to(seed: Mask, mask: Mask) -> Mask:
    """Keep the pixels of a mask from which a path inside it leads to the seed."""
    grid = BitGrid(*mask.shape)
    within = grid.packed(mask)
    return grid.unpacked(_flooded(grid, within & grid.packed(seed), within))


def _flooded(grid: BitGrid, seed: int, within: int) -> int:
    """Flood in straight lines, each as far as it goes, until nothing is left to reach."""
    ways = [(step, list(_ways(within, step))) for step in (1, grid.row)]
    reached = seed
    while True:
        for step, levels in ways:
            reached = _along(reached, step, levels)
        if grid.spread(reached, within) == reached:
            return reached


def _ways(within: int, step: int) -> Iterator[int]:
    """Mark from where the mask goes on backwards for 1, 2, 4, ... steps, as long as there is such a place."""
    way, length = within & within << step, step
    while way:
        yield way
        way, length = way & way << length, 2 * length


def _along(reached: int, step: int, levels: Sequence[int]) -> int:
    """Flood along one axis both ways, in steps that double (Kogge and Stone's scheme for carries)."""
    for power, way in enumerate(levels):
        length = step << power
        reached |= reached << length & way | (reached & way) >> length
    return reached


def eroded(mask: Mask) -> Mask:
    """Take away the pixels that touch what is outside the mask or the frame, by one of four sides."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return inner
