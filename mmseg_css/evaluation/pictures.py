"""Pictures of what was learnt."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmseg.apis import inference_model, init_model

from mmseg_css.evaluation.comparison.curves import plot_curves, save


def draw_summary(
    results: Mapping[str, Any],
    networks: Mapping[str, tuple[Config, Path]],
    images: Sequence[Path],
    masks: Sequence[Path],
    out: Path,
) -> None:
    """The learning curves of a comparison above predictions of its networks.

    Args:
        results: Of the comparison.
        networks: Config and checkpoint by name; the first one's data set gives the colours.
        images: The images.
        masks: Their masks of class indices.
        out: The file to write.
    """
    from matplotlib.figure import Figure  # an extra, which nothing else needs

    width, height = 2 * (2 + len(networks)), 2 * len(images)
    figure = Figure(figsize=(width, height + 4), layout="constrained")
    parts: Any = figure.subfigures(2, 1, height_ratios=(4, height))
    plot_curves(parts[0], results)
    plot_predictions(parts[1], networks, images, masks)
    save(figure, out, dpi=100)


def plot_predictions(
    figure: Any, networks: Mapping[str, tuple[Config, Path]], images: Sequence[Path], masks: Sequence[Path]
) -> None:
    """Input, truth and every network's prediction side by side, a row for each image, in a figure or part of one."""
    from matplotlib.image import imread

    models = {
        name: init_model(config, str(checkpoint), device="cpu") for name, (config, checkpoint) in networks.items()
    }
    palette = np.array(next(iter(models.values())).dataset_meta["palette"], np.uint8)
    titles = ["image", "truth", *models]
    axes = figure.subplots(len(images), len(titles), squeeze=False)
    for row, image, mask in zip(axes, images, masks, strict=True):
        truth = (imread(mask) * 255).round().astype(np.uint8)
        predictions = [
            inference_model(model, str(image)).pred_sem_seg.data[0].cpu().numpy() for model in models.values()
        ]
        row[0].imshow(imread(image))
        for axis, labels in zip(row[1:], [truth, *predictions], strict=True):
            axis.imshow(palette[labels])
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    for axis in axes.flat:
        axis.axis("off")
