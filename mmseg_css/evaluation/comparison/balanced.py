"""What the trainings of a comparison are worth with their classes balanced, after the training (docs/balance.md)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from mmseg_css.evaluation.areas import class_iou, load_areas
from mmseg_css.evaluation.balance import STRENGTHS
from mmseg_css.evaluation.comparison.runs import COMMAND, Run
from mmseg_css.evaluation.statistics import holm, paired_t_test
from mmseg_css.files import read_json

#: In the folder of a record, beside what the training gave.
NAME: Final = "balance.json"
#: In the place of a strength: the best for a training, on the images that it is evaluated on, of those of `TRIED`.
BEST: Final = "best"
TRIED: Final = tuple(f"{strength:g}" for strength in STRENGTHS)
#: Points of mIoU by which two processors may see one checkpoint differently.
TOLERANCE: Final = 0.1
#: What of a data set says which images it has.
IMAGES: Final = ("type", "data_root", "data_prefix", "ann_file")


def command(run: Run, checkpoint: Path) -> list[str]:
    """What is started for a finished run, whose last checkpoint that is."""
    return [
        *(*COMMAND, "balance", str(run.source.path), str(checkpoint)),
        *("--json", str(run.record / NAME), "--work-dir", str(run.folder / "balanced")),
        *(["--cfg-options", *run.source.options] if run.source.options else []),
    ]


def check_images(runs: Iterable[Run]) -> None:
    """Refuse trainings whose balanced networks would be evaluated on other images than they are.

    Raises:
        ValueError: ``test_dataloader`` does not name the images of ``val_dataloader``.
    """
    for source in {run.source for run in runs}:
        validated, tested = (
            (source.trained.get(loader) or {}).get("dataset", {}) for loader in ("val_dataloader", "test_dataloader")
        )
        if other := [key for key in IMAGES if validated.get(key) != tested.get(key)]:
            raise ValueError(
                f"{source.path}: --balance evaluates on test_dataloader, which has another dataset.{other[0]} than "
                "val_dataloader, by which trainings are compared: let them be the same"
            )


def missing(runs: Iterable[Run]) -> list[Run]:
    """Finished runs of which it is not known."""
    return [run for run in runs if run.finished() is not None and not (run.record / NAME).exists()]


def worth(run: Run, miou: float) -> dict[str, float]:
    """mIoU of a finished run by strength, and at its `BEST` where all are known that are tried; nothing if it is not
    known.

    Args:
        run: The run.
        miou: What it ended with in the comparison's own evaluation.

    Raises:
        ValueError: It is not of the checkpoint and the images of the comparison's own evaluation.
    """
    if not (file := run.record / NAME).exists():
        return {}
    noted = read_json(file, "put back a copy, or delete it; compare --balance makes it again")
    found = {strength: float(one["mIoU"]) for strength, one in noted["strengths"].items()}
    if not abs(found.get("0", np.inf) - miou) <= TOLERANCE:
        raise ValueError(
            f"{file}: at strength 0 it has an mIoU of {found.get('0')}, and in the comparison the training ended with "
            f"{miou:.2f}: it is of another checkpoint or of other images. Without it compare --balance evaluates again"
        )
    return found | ({BEST: max(found[strength] for strength in TRIED)} if found.keys() >= {*TRIED} else {})


def in_order(strengths: Iterable[str]) -> list[str]:
    """Each once, the lowest first, and `BEST` last."""
    return sorted({*strengths}, key=lambda strength: float("inf") if strength == BEST else float(strength))


def check(run: Run) -> None:
    """Keep what was made now if it is of the run.

    Raises:
        ValueError: It is not (`worth`), and is removed.
    """
    try:
        worth(run, float(np.nanmean(class_iou(load_areas(str(run.record / "areas.npz"))))))
    except ValueError:
        (run.record / NAME).unlink()
        raise


def known(
    runs: Mapping[str, Iterable[Run]], miou: Mapping[str, Mapping[int, float]]
) -> dict[str, dict[str, dict[int, float]]]:
    """By strength, method and seed, as far as it is known, mIoU with the classes balanced (`worth`).

    Args:
        runs: Finished runs by method.
        miou: What they ended with as they were trained, by method and seed.
    """
    found: dict[str, dict[str, dict[int, float]]] = {}
    for name, own in runs.items():
        for run in own:
            for strength, balanced in worth(run, miou[name][run.seed]).items():
                found.setdefault(strength, {}).setdefault(name, {})[run.seed] = balanced
    return found


def by_strength(
    miou: Mapping[str, Mapping[str, Mapping[int, float]]], seeds: Sequence[int], baseline: str, ceiling: str | None
) -> dict[str, dict[str, Any]]:
    """By strength and method, where it is known of all seeds: mIoU, and the gain over the baseline balanced alike.

    Holm over the methods but the ceiling, for each strength.

    Args:
        miou: By strength, method and seed, as far as it is known.
        seeds: All seeds.
        baseline: The method that gains are over.
        ceiling: The method that knows all labels.
    """
    found = {strength: _at(miou[strength], seeds, baseline, ceiling) for strength in in_order(miou)}
    return {strength: of_strength for strength, of_strength in found.items() if of_strength}


def _at(
    known: Mapping[str, Mapping[int, float]], seeds: Sequence[int], baseline: str, ceiling: str | None
) -> dict[str, Any]:
    miou = {name: np.array([own[seed] for seed in seeds]) for name, own in known.items() if own.keys() >= {*seeds}}
    found: dict[str, Any] = {
        name: {"mIoU": float(own.mean()), "mIoU_per_seed": own.tolist()} for name, own in miou.items()
    }
    if baseline not in miou:
        return found
    for name in (name for name in found if name != baseline):
        gain = paired_t_test(miou[name], miou[baseline])
        found[name]["gain"] = {"mean": gain.mean, "interval": [gain.low, gain.high], "p_seeds": gain.p}
    gains = [found[name]["gain"] for name in found if name not in (baseline, ceiling)]
    for gain, adjusted in zip(gains, holm([gain["p_seeds"] for gain in gains]), strict=True):
        gain["p_seeds_holm"] = adjusted
    return found
