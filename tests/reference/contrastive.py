"""The prototype contrast: hardness, the two-stage draw, and the loss of a given draw."""

import random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.reference.scalar import cosine, cross_entropy, softmax

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Draw(NamedTuple):
    """Pixels by their index into the flattened "(b h w)": queries[a][q], negatives[a][q][n]."""

    classes: list[int]
    queries: list[list[int]]
    negatives: list[list[list[int]]]
    present: list[bool]


def similarity_indicator(
    embeddings: Array, labels: Labels, prototypes: Array, seen: Mask, temperature: float = 0.5
) -> Array:
    """softmax over the classes with a prototype of cosine / T, read at the pixel's class; 0 if that has none."""
    embeddings = np.asarray(embeddings, dtype=np.float64)
    known = [k for k in range(len(prototypes)) if seen[k]]
    out = np.zeros(labels.shape, dtype=np.float64)
    for b, i, j in np.ndindex(labels.shape):
        c = int(labels[b, i, j])
        if c not in known:
            continue
        pixel = embeddings[b, :, i, j].tolist()
        probabilities = softmax([cosine(pixel, prototypes[k].tolist()) / temperature for k in known])
        out[b, i, j] = probabilities[known.index(c)]
    return out


def confidence_indicator(logits: Array, labels: Labels) -> Array:
    """softmax of the logits, read at the pixel's class; 0 where there is none."""
    logits = np.asarray(logits, dtype=np.float64)
    out = np.zeros(labels.shape, dtype=np.float64)
    for b, i, j in np.ndindex(labels.shape):
        c = int(labels[b, i, j])
        if 0 <= c < logits.shape[1]:
            out[b, i, j] = softmax(logits[b, :, i, j].tolist())[c]
    return out


def negative_class_probabilities(prototypes: Array, present: Mask, temperature: float = 0.5) -> Array:
    """Row c: softmax of cosine(prototype_c, prototype_j) / T over the present j != c; zero elsewhere."""
    classes = len(prototypes)
    out = np.zeros((classes, classes), dtype=np.float64)
    for c in range(classes):
        others = [j for j in range(classes) if present[j] and j != c]
        if not present[c] or not others:
            continue
        values = softmax([cosine(prototypes[c].tolist(), prototypes[j].tolist()) / temperature for j in others])
        for j, value in zip(others, values, strict=True):
            out[c, j] = value
    return out


def draw_contrast(
    labels: Labels,
    hard: Mask,
    prototypes: Array,
    num_queries: int,
    num_negatives: int,
    temperature: float,
    rng: random.Random,
) -> Draw:
    """Queries among the hard pixels of a class; for each negative first a class, then one of its valid pixels."""
    flat, flat_hard = labels.reshape(-1), hard.reshape(-1)
    classes = len(prototypes)
    pixels: list[list[int]] = [[p for p in range(len(flat)) if flat[p] == c] for c in range(classes)]
    present = [len(pixels[c]) > 0 for c in range(classes)]
    draw = Draw([], [], [], present)
    if sum(present) < 2:
        return draw
    probabilities = negative_class_probabilities(prototypes, np.array(present), temperature)
    for c in range(classes):
        hard_pixels = [p for p in pixels[c] if flat_hard[p]]
        if not hard_pixels:
            continue
        draw.classes.append(c)
        draw.queries.append([rng.choice(hard_pixels) for _ in range(num_queries)])
        negatives = []
        for _ in range(num_queries):
            row = []
            for _ in range(num_negatives):
                j = rng.choices(range(classes), weights=probabilities[c].tolist())[0]
                row.append(rng.choice(pixels[j]))
            negatives.append(row)
        draw.negatives.append(negatives)
    return draw


def pixel_embedding(embeddings: Array, index: int) -> list[float]:
    """The embedding of the pixel with this index into the flattened "(b h w)"."""
    _, _, height, width = embeddings.shape
    return embeddings[index // (height * width), :, index // width % height, index % width].tolist()


def prototype_contrast_loss(
    query_embeddings: Array, negative_embeddings: Array, draw: Draw, prototypes: Array, temperature: float = 0.5
) -> float:
    """sum_c mean_q CE([positive, negatives] of cosine / temperature, positive) / number of classes present.

    Queries and negatives are read from two arrays (usually equal), so that a finite difference can move the one and
    hold the other, as the algorithm does.
    """
    if not draw.classes:
        return 0.0
    total = 0.0
    for c, queries, negatives in zip(draw.classes, draw.queries, draw.negatives, strict=True):
        of_class = 0.0
        for query, row in zip(queries, negatives, strict=True):
            anchor = pixel_embedding(query_embeddings, query)
            similarities = [cosine(anchor, prototypes[c].tolist())]
            for negative in row:
                similarities.append(cosine(anchor, pixel_embedding(negative_embeddings, negative)))
            of_class += cross_entropy([s / temperature for s in similarities], 0)
        total += of_class / len(queries)
    return total / sum(draw.present)
