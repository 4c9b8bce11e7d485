"""Class prototypes: cosine to them, the sums they are made of, and their moving average."""

import numpy as np
from numpy.typing import NDArray

from tests.reference.scalar import cosine

Array = NDArray[np.float64]


def prototype_similarity(embeddings: Array, prototypes: Array) -> Array:
    """Cosine of the embedding of every pixel to the prototype of every class, "b k h w"."""
    embeddings = np.asarray(embeddings, dtype=np.float64)
    prototypes = np.asarray(prototypes, dtype=np.float64)
    batch, _, height, width = embeddings.shape
    out = np.zeros((batch, len(prototypes), height, width), dtype=np.float64)
    for b, k, i, j in np.ndindex(out.shape):
        out[b, k, i, j] = cosine(embeddings[b, :, i, j].tolist(), prototypes[k].tolist())
    return out


def class_sums(embeddings: Array, labels: NDArray[np.int64], num_classes: int) -> tuple[Array, Array]:
    """Sum of the unnormalised embeddings of each class and the number of its pixels."""
    embeddings = np.asarray(embeddings, dtype=np.float64)
    sums = np.zeros((num_classes, embeddings.shape[1]), dtype=np.float64)
    counts = np.zeros(num_classes, dtype=np.float64)
    for b, i, j in np.ndindex(labels.shape):
        c = int(labels[b, i, j])
        if 0 <= c < num_classes:
            counts[c] += 1
            for d in range(embeddings.shape[1]):
                sums[c, d] += embeddings[b, d, i, j]
    return sums, counts


def ema_prototypes(
    prototypes: Array, seen: NDArray[np.bool_], sums: Array, counts: Array, decay: float
) -> tuple[Array, NDArray[np.bool_]]:
    """The mean at first sight, decay * old + (1 - decay) * mean afterwards, untouched without a pixel."""
    new_prototypes, new_seen = np.array(prototypes, dtype=np.float64), np.array(seen, dtype=bool)
    for c in range(len(new_prototypes)):
        if counts[c] == 0:
            continue
        for d in range(new_prototypes.shape[1]):
            mean = float(sums[c, d]) / float(counts[c])
            new_prototypes[c, d] = decay * float(prototypes[c, d]) + (1 - decay) * mean if seen[c] else mean
        new_seen[c] = True
    return new_prototypes, new_seen
