"""The part network in JAX, for training; `services.classifier.color.parts` runs the same in numpy.

Arrays are (channels, ..., photos, places), so that each step is one matrix product over all photos of a batch.
"""

from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from services.classifier.color.parts import BLOCK, CHANNELS, DILATIONS, GRID, PARTS, POOLED_AFTER

Weights = dict[str, jax.Array]

WIDE: Final = 64
NARROW: Final = 24
POOLED: Final = 24
PER_PIXEL: Final = 6
HIDDEN: Final = 16
_PIXELS: Final = BLOCK**2
_POSITIONS: Final = 4

_BLOCKS: Final = {
    f"{name}{block}": shape
    for block in range(len(DILATIONS))
    for name, shape in (("narrow", (NARROW, WIDE)), ("around", (NARROW, 9 * NARROW)), ("wide", (WIDE, NARROW)))
}
SHAPES: Final[dict[str, tuple[int, int]]] = {
    "stem": (WIDE, CHANNELS * _PIXELS + _POSITIONS),
    **_BLOCKS,
    "pool": (POOLED, 2 * WIDE),
    "spread": (WIDE, POOLED),
    "place": (PER_PIXEL * _PIXELS, WIDE),
    "joint": (HIDDEN, PER_PIXEL),
    "pixel": (HIDDEN, CHANNELS),
    "part": (len(PARTS), HIDDEN),
}
_WITHOUT_BIAS: Final = frozenset({"pixel"})
_SMALL: Final = {"wide": 0.3, "spread": 0.3}
"""Steps that are added to what is there begin small."""


def initial(seed: int) -> Weights:
    """Draw weights by He et al. 2015; biases begin at zero."""
    chance = np.random.default_rng(seed)
    weights = {}
    for name, (rows, columns) in SHAPES.items():
        scale = np.sqrt(2 / columns) * _SMALL.get(name.rstrip("0123456789"), 1)
        weights[name] = jnp.asarray(chance.normal(0, scale, (rows, columns)), jnp.float32)
        if name not in _WITHOUT_BIAS:
            weights[f"{name}_bias"] = jnp.zeros(rows, jnp.float32)
    return weights


def logits(weights: Weights, seen: jax.Array, positions: jax.Array) -> jax.Array:
    """Run the network: seen (5, 16 pixels, photos, 256 places), positions (4, photos, 256) to (6, 16, photos, 256)."""
    stacked = seen.reshape(CHANNELS * _PIXELS, *seen.shape[2:])
    features = jax.nn.relu(_step(weights, "stem", jnp.concatenate([stacked, positions])))
    for block, dilation in enumerate(DILATIONS):
        features = _residual(weights, features, block, dilation)
        if block == POOLED_AFTER:
            features += _whole(weights, features)[:, :, None]
    per_pixel = _step(weights, "place", features).reshape(PER_PIXEL, *seen.shape[1:])
    both = jnp.concatenate([weights["joint"], weights["pixel"]], axis=1)
    joined = _step({"both": both, "both_bias": weights["joint_bias"]}, "both", jnp.concatenate([per_pixel, seen]))
    return _step(weights, "part", jax.nn.relu(joined))


def _step(weights: Weights, name: str, values: jax.Array) -> jax.Array:
    flat = weights[name] @ values.reshape(values.shape[0], -1) + weights[f"{name}_bias"][:, None]
    return flat.reshape(-1, *values.shape[1:])


def _residual(weights: Weights, features: jax.Array, block: int, dilation: int) -> jax.Array:
    narrow = jax.nn.relu(_step(weights, f"narrow{block}", features))
    around = jax.nn.relu(_step(weights, f"around{block}", _neighbors(narrow, dilation)))
    return jax.nn.relu(features + _step(weights, f"wide{block}", around))


def _neighbors(narrow: jax.Array, dilation: int) -> jax.Array:
    grid = narrow.reshape(*narrow.shape[:2], GRID, GRID)
    padded = jnp.pad(grid, ((0, 0), (0, 0), (dilation, dilation), (dilation, dilation)))
    steps = (0, dilation, 2 * dilation)
    views = [padded[:, :, y : y + GRID, x : x + GRID] for y in steps for x in steps]
    return jnp.concatenate(views).reshape(-1, narrow.shape[1], GRID * GRID)


def _whole(weights: Weights, features: jax.Array) -> jax.Array:
    pooled = jnp.concatenate([features.mean(2), features.max(2)])
    return _step(weights, "spread", jax.nn.relu(_step(weights, "pool", pooled)))
