"""What the trainings of a comparison are worth with their classes balanced, after the training (docs/balance.md)."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from mmseg_css.evaluation.areas import class_iou, load_areas
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.statistics import holm, paired_t_test
from mmseg_css.files import read_json

#: In the folder of a record, beside what the training gave.
NAME: Final = "balance.json"
#: In the place of a strength: the one that is best for a training on the images that it is evaluated on.
BEST: Final = "best"
#: Points of mIoU by which two processors may see one checkpoint differently.
TOLERANCE: Final = 0.1


def command(run: Run) -> list[str]:
    """What is started for a finished run whose last checkpoint is there."""
    return [
        *(sys.executable, "-m", "mmseg_css", "balance", str(run.source.path), str(run.last_checkpoint())),
        *("--json", str(run.record / NAME), "--work-dir", str(run.folder / "balanced")),
        *(["--cfg-options", *run.source.options] if run.source.options else []),
    ]


def missing(runs: Iterable[Run]) -> list[Run]:
    """Finished runs of which it is not known."""
    return [run for run in runs if run.finished() is not None and not (run.record / NAME).exists()]


def worth(run: Run) -> dict[str, float]:
    """mIoU of a finished run by strength, and at its `BEST`; nothing if it is not known.

    Raises:
        ValueError: It is of other images or of another checkpoint than the comparison's own evaluation.
    """
    if not (file := run.record / NAME).exists():
        return {}
    noted = read_json(file, "put back a copy, or delete it; compare --balance makes it again")
    found = {strength: float(one["mIoU"]) for strength, one in noted["strengths"].items()}
    own = float(np.nanmean(class_iou(load_areas(str(run.record / "areas.npz")))))
    if abs(found.get("0", own) - own) > TOLERANCE:
        raise ValueError(
            f"{file}: unbalanced it has an mIoU of {found['0']:.2f}, and in the comparison the training ended with "
            f"{own:.2f}: test_dataloader and val_dataloader of {run.source.path} name different images, or it is of "
            "another checkpoint. Without the file compare --balance makes it again"
        )
    return {**found, BEST: max(found.values())}


def in_order(strengths: Iterable[str]) -> list[str]:
    """Each once, the lowest first, and `BEST` last."""
    return sorted({*strengths}, key=lambda strength: float("inf") if strength == BEST else float(strength))


def check(run: Run) -> None:
    """Keep what was made now if it is of the run.

    Raises:
        ValueError: It is not (`worth`), and is removed.
    """
    try:
        worth(run)
    except ValueError:
        (run.record / NAME).unlink()
        raise


def by_strength(runs: Mapping[str, Sequence[Run]], ceiling: str | None) -> dict[str, dict[str, Any]]:
    """By strength and method, where it is known of all seeds: mIoU, and the gain over the baseline balanced alike.

    Holm over the methods but the ceiling, for each strength.
    """
    known = {name: [worth(run) for run in own] for name, own in runs.items()}
    baseline = next(iter(runs))
    strengths = in_order(strength for own in known.values() for one in own for strength in one)
    found = {strength: _at(strength, known, baseline, ceiling) for strength in strengths}
    return {strength: of_strength for strength, of_strength in found.items() if of_strength}


def _at(
    strength: str, known: Mapping[str, Sequence[Mapping[str, float]]], baseline: str, ceiling: str | None
) -> dict[str, Any]:
    miou = {name: np.array([one[strength] for one in own]) for name, own in known.items() if _all(strength, own)}
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


def _all(strength: str, of_seeds: Sequence[Mapping[str, float]]) -> bool:
    return all(strength in one for one in of_seeds)
