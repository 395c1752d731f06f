"""Training of the part network by AdamW (Loshchilov and Hutter 2019) on one core."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import jax
import jax.numpy as jnp
import numpy as np

from services.classifier.color.parts import BLOCK, CHANNELS, GRID, PARTS, positions
from training.parts.mixtures import Samples, restored
from training.parts.network import Weights, initial, logits

BATCH: Final = 48
_AT_ONCE: Final = 4
"""Photos of a batch whose gradients are taken together: what they need fits the cache, which is three times as fast."""
_CLASS_WEIGHTS: Final = jnp.array([0.7, 1, 1, 1.5, 1, 1], jnp.float32)
_RATE: Final = 3e-3
_DECAY: Final = 1e-3
_CLIP: Final = 1.0
_WARM_UP: Final = 100
_FIRST, _SECOND = 0.9, 0.98
_AVERAGED: Final = 0.998


@dataclass(frozen=True)
class Batch:
    """Inputs (5, 16, photos, 256), positions (4, photos, 256), labels (16, photos, 256)."""

    seen: np.ndarray
    positions: np.ndarray
    labels: np.ndarray


jax.tree_util.register_dataclass(Batch, ["seen", "positions", "labels"], [])


@dataclass(frozen=True)
class State:
    """Weights, their average over the last steps, and the moments of their gradients."""

    weights: Weights
    averaged: Weights
    first: Weights
    second: Weights


jax.tree_util.register_dataclass(State, ["weights", "averaged", "first", "second"], [])


def fitted(samples: Samples, steps: int, seed: int) -> dict[str, np.ndarray]:
    """Train and give the averaged weights; the same samples and seed give the same weights on one machine."""
    weights = initial(seed)
    zeros = {name: jnp.zeros_like(value) for name, value in weights.items()}
    state, loss = State(weights, weights, zeros, zeros), 0.0
    improved = jax.jit(_improved)
    for step, batch in enumerate(_batches(samples, steps, seed)):
        state, now = improved(state, batch, jnp.float32(step), jnp.float32(steps))
        loss += float(now)
        if (step + 1) % 250 == 0:
            print(f"step {step + 1} of {steps}: loss {loss / 250:.4f}", flush=True)
            loss = 0.0
    return {name: np.asarray(value) for name, value in state.averaged.items()}


def _batches(samples: Samples, steps: int, seed: int) -> Iterator[Batch]:
    chance = np.random.default_rng(seed)
    order = np.array([], np.intp)
    for _ in range(steps):
        if len(order) < BATCH:
            order = chance.permutation(len(samples.labels))
        chosen, order = order[:BATCH], order[BATCH:]
        yield batch(samples, np.sort(chosen), mirrored=bool(chance.random() < 0.5))


def batch(samples: Samples, chosen: np.ndarray, *, mirrored: bool = False) -> Batch:
    """Gather some samples, mirrored left to right or not."""
    inputs, labels = samples.inputs[chosen], samples.labels[chosen]
    if mirrored:
        inputs = inputs.reshape(-1, CHANNELS, BLOCK, BLOCK, GRID, GRID)[:, :, :, ::-1, :, ::-1].reshape(inputs.shape)
        labels = labels.reshape(-1, BLOCK, BLOCK, GRID, GRID)[:, :, ::-1, :, ::-1].reshape(labels.shape)
    where = np.stack([positions(float(aspect)) for aspect in samples.aspects[chosen]], 1)
    return Batch(restored(inputs).transpose(1, 2, 0, 3), where, labels.swapaxes(0, 1))


def _loss(weights: Weights, batch: Batch) -> jax.Array:
    scores = logits(weights, batch.seen, batch.positions)
    shifted = scores - jax.lax.stop_gradient(scores.max(0))
    right = jnp.arange(len(PARTS))[:, None, None, None] == batch.labels
    missed = jnp.log(jnp.exp(shifted).sum(0)) - jnp.where(right, shifted, 0).sum(0)
    return (missed * jnp.where(right, _CLASS_WEIGHTS[:, None, None, None], 0).sum(0)).mean()


def _improved(state: State, batch: Batch, step: jax.Array, steps: jax.Array) -> tuple[State, jax.Array]:
    loss, slopes = _slopes(state.weights, batch)
    length = jnp.sqrt(sum(jnp.sum(slope**2) for slope in slopes.values()))
    clip = jnp.minimum(1, _CLIP / (length + 1e-9))
    rate = _RATE * jnp.minimum(1, (step + 1) / _WARM_UP) * 0.5 * (1 + jnp.cos(jnp.pi * step / steps))
    first = {n: _FIRST * state.first[n] + (1 - _FIRST) * clip * slope for n, slope in slopes.items()}
    second = {n: _SECOND * state.second[n] + (1 - _SECOND) * (clip * slope) ** 2 for n, slope in slopes.items()}
    weights = {
        n: old - rate * (_direction(first[n], second[n], step + 1) + (_DECAY * old if old.ndim > 1 else 0))
        for n, old in state.weights.items()
    }
    keep = jnp.minimum(_AVERAGED, (step + 1) / (step + 10))
    averaged = {n: keep * state.averaged[n] + (1 - keep) * new for n, new in weights.items()}
    return State(weights, averaged, first, second), loss


def _slopes(weights: Weights, batch: Batch) -> tuple[jax.Array, Weights]:
    """Average loss and gradients over the batch, a few photos at a time."""
    groups = BATCH // _AT_ONCE

    def add(total: tuple[jax.Array, Weights], group: Batch) -> tuple[tuple[jax.Array, Weights], None]:
        return jax.tree.map(jnp.add, total, jax.value_and_grad(_loss)(weights, group)), None

    zero = (jnp.float32(0), jax.tree.map(jnp.zeros_like, weights))
    total, _ = jax.lax.scan(add, zero, jax.tree.map(lambda values: _grouped(values, groups), batch))
    loss, slopes = jax.tree.map(lambda value: value / groups, total)
    return loss, slopes


def _grouped(values: jax.Array, groups: int) -> jax.Array:
    """Split the photos, which lie along the last axis but one, into groups along the first."""
    split = values.reshape(*values.shape[:-2], groups, -1, values.shape[-1])
    return jnp.moveaxis(split, -3, 0)


def _direction(first: jax.Array, second: jax.Array, count: jax.Array) -> jax.Array:
    return (first / (1 - _FIRST**count)) / (jnp.sqrt(second / (1 - _SECOND**count)) + 1e-8)
