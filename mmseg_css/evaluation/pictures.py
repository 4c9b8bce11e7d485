"""Pictures of what networks predict."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mmseg.apis import inference_model, init_model


def draw_predictions(
    networks: Mapping[str, tuple[Path, Path]], images: Sequence[Path], masks: Sequence[Path], out: Path
) -> None:
    """Input, truth and every network's prediction side by side, a row for each image.

    Args:
        networks: Config and checkpoint by name; the first one's data set gives the colours.
        images: The images.
        masks: Their masks of class indices.
        out: The file to write.
    """
    import matplotlib  # an extra, which nothing else needs

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    models = {
        name: init_model(str(config), str(checkpoint), device="cpu") for name, (config, checkpoint) in networks.items()
    }
    palette = np.array(next(iter(models.values())).dataset_meta["palette"], np.uint8)
    titles = ["image", "truth", *models]
    figure, axes = plt.subplots(len(images), len(titles), figsize=(2 * len(titles), 2 * len(images)), squeeze=False)
    for row, image, mask in zip(axes, images, masks, strict=True):
        truth = (plt.imread(mask) * 255).round().astype(np.uint8)
        predictions = [
            inference_model(model, str(image)).pred_sem_seg.data[0].cpu().numpy() for model in models.values()
        ]
        row[0].imshow(plt.imread(image))
        for axis, labels in zip(row[1:], [truth, *predictions], strict=True):
            axis.imshow(palette[labels])
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    for axis in axes.flat:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(out, dpi=100)
