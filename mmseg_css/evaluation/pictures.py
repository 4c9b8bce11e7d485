"""The demo: supervised-only against CSS on the generated data set, with the same labelled images and the same steps.

Prints a table, writes ``work_dirs/demo/results.json`` and a picture of a few predictions,
``work_dirs/demo/predictions.png``.
"""

import argparse
from pathlib import Path

# First, because it finds the package in a clone that is not installed.
from mmseg_css.evaluation.comparison import compare, print_table

# isort: split
import matplotlib
import numpy as np
from mmseg_css.preparation.weights import WEIGHTS, write_weights
from mmseg.apis import inference_model, init_model

from mmseg_css.datasets.demo import DemoDataset
from mmseg_css.preparation.demo import generate

CONFIGS = {name: Path(f"configs/css/{name}_lite0_demo.py") for name in ("supervised", "css")}


def draw_predictions(work_dir: Path, data: Path, seed: int, out: Path, rows: int = 5) -> None:
    """Input, truth and both predictions of the first validation images, side by side."""
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    palette = np.array(DemoDataset.METAINFO["palette"], np.uint8)
    models = {
        name: init_model(
            str(config), next((work_dir / f"{name}_seed{seed}").glob("iter_*.pth")).as_posix(), device="cpu"
        )
        for name, config in CONFIGS.items()
    }
    images = sorted((data / "images/val").iterdir())[:rows]
    titles = ["image", "truth", *models]
    figure, axes = plt.subplots(rows, len(titles), figsize=(2 * len(titles), 2 * rows), squeeze=False)
    for row, path in zip(axes, images, strict=True):
        truth = (plt.imread(data / "labels/val" / path.name) * 255).round().astype(np.uint8)
        predictions = [
            inference_model(model, str(path)).pred_sem_seg.data[0].cpu().numpy() for model in models.values()
        ]
        row[0].imshow(plt.imread(path))
        for axis, labels in zip(row[1:], [truth, *predictions], strict=True):
            axis.imshow(palette[labels])
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title)
    for axis in axes.flat:
        axis.axis("off")
    figure.tight_layout()
    figure.savefig(out, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--work-dir", type=Path, default=Path("work_dirs/demo"))
    parser.add_argument("--cfg-options", nargs="+", default=[], metavar="KEY=VALUE", help="passed on to every run")
    args = parser.parse_args()
    data = Path("data/demo")
    if not (data / "settings.json").exists():
        generate(data)
    if not WEIGHTS.exists():
        write_weights(WEIGHTS)
    results = compare(CONFIGS, args.work_dir, args.seeds, args.cfg_options)
    print_table(results)
    picture = args.work_dir / "predictions.png"
    draw_predictions(args.work_dir, data, args.seeds[0], picture)
    print(f"wrote {args.work_dir / 'results.json'} and {picture}")


if __name__ == "__main__":
    main()
