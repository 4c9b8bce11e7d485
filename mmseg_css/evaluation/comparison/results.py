"""What the runs of a comparison say: means, gains, shares of the headroom, and how sure they are."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from mmseg_css.evaluation.areas import class_iou, load_areas, load_labels
from mmseg_css.evaluation.comparison.balanced import by_strength, known
from mmseg_css.evaluation.comparison.machine import together
from mmseg_css.evaluation.comparison.runs import Run
from mmseg_css.evaluation.json_numbers import without_nan
from mmseg_css.evaluation.statistics import detectable_gain, headroom_share, holm, paired_swap_test, paired_t_test
from mmseg_css.files import read_json

SCHEMA: Final = 3


def summarise(runs: Mapping[str, Sequence[Run]], *, ceiling: str | None = None, block: int = 1) -> dict[str, Any]:
    """The results of finished runs, as docs/comparing.md describes them. The first config is the baseline.

    Raises:
        ValueError: They were evaluated with different masks.
    """
    baseline = next(iter(runs))
    check_one_truth([run for own in runs.values() for run in own])
    areas = {name: np.stack([load_areas(str(run.record / "areas.npz")) for run in own]) for name, own in runs.items()}
    miou = {name: np.nanmean(class_iou(own), axis=1) for name, own in areas.items()}
    classes, seeds = runs[baseline][0].source.classes, [run.seed for run in runs[baseline]]
    methods = {name: _method(own, areas[name], miou[name], classes) for name, own in runs.items()}
    compared = [name for name in runs if name not in (baseline, ceiling)]
    for name in (*compared, *([ceiling] if ceiling and ceiling != baseline else [])):
        methods[name]["gain"] = _gain(areas[name], areas[baseline], miou[name], miou[baseline], block)
        if ceiling is not None and name != ceiling:
            share = headroom_share(miou[name], miou[baseline], miou[ceiling])
            methods[name]["headroom"] = {"share": share.share, "interval": [share.low, share.high]}
    for key in ("p_seeds", "p_images"):
        adjusted = holm([methods[name]["gain"][key] for name in compared])
        for name, value in zip(compared, adjusted, strict=True):
            methods[name]["gain"][f"{key}_holm"] = value
    by_seed = {name: dict(zip(seeds, own.tolist(), strict=True)) for name, own in miou.items()}
    return without_nan(
        {
            "schema": SCHEMA,
            "baseline": baseline,
            "ceiling": ceiling,
            "seeds": seeds,
            "block": block,
            "made_with": together([run.made_with() for own in runs.values() for run in own]),
            "machines_differ": _machines_differ(runs),
            "methods": methods,
            "pairs": _pairs({name: miou[name] for name in compared}),
            "balanced": by_strength(known(runs, by_seed), seeds, baseline, ceiling),
        }
    )


def _pairs(miou: Mapping[str, Float[np.ndarray, " s"]]) -> list[dict[str, Any]]:
    """Each two of the methods, the better one first, and what lies between them; Holm over all pairs."""
    best_first = sorted(miou, key=lambda name: -miou[name].mean())
    gains = {pair: paired_t_test(*(miou[name] for name in pair)) for pair in combinations(best_first, 2)}
    adjusted = holm([gain.p for gain in gains.values()])
    return [
        {
            "methods": list(pair),
            "difference": gain.mean,
            "interval": [gain.low, gain.high],
            "p_seeds": gain.p,
            "p_seeds_holm": p_holm,
        }
        for (pair, gain), p_holm in zip(gains.items(), adjusted, strict=True)
    ]


def comparable(planned: Mapping[str, Sequence[Run]], ceiling: str | None) -> dict[str, list[Run]]:
    """Of planned trainings those that are finished and can be compared, none if there is no method.

    Baseline and ceiling, and the methods that are finished with all seeds that these are; while there is none, those
    that have begun (`in_common`).
    """
    done, needed = _done(planned), _needed(planned, ceiling)
    seeds = set.intersection(*(done[name] for name in needed))
    names = [name for name, own in done.items() if name in needed or own >= seeds]
    if not seeds or len(names) == len(needed):
        found = in_common(planned, ceiling)
        return found if len(found) > len(needed) else {}
    return {name: [planned[name][index] for index in sorted(seeds)] for name in names}


def in_common(planned: Mapping[str, Sequence[Run]], ceiling: str | None) -> dict[str, list[Run]]:
    """Of planned trainings those with the seeds that all methods are finished with; none if there is no such seed.

    A method that has no seed in common with the others is left out, the one with the fewest first; baseline and ceiling
    never are.
    """
    done, needed = _done(planned), _needed(planned, ceiling)
    seeds = set.intersection(*(done[name] for name in needed))
    names = {*needed}
    for name in sorted(done, key=lambda name: -len(done[name] & seeds)):
        if common := seeds & done[name]:
            seeds = common
            names.add(name)
    return {name: [own[index] for index in sorted(seeds)] for name, own in planned.items() if name in names and seeds}


def _done(planned: Mapping[str, Sequence[Run]]) -> dict[str, set[int]]:
    """Which trainings of each method are finished, by their place."""
    return {
        name: {index for index, run in enumerate(own) if run.finished() is not None} for name, own in planned.items()
    }


def _needed(planned: Mapping[str, Sequence[Run]], ceiling: str | None) -> list[str]:
    """Baseline and ceiling."""
    baseline = next(iter(planned))
    return [name for name in planned if name in (baseline, ceiling)]


def _machines_differ(runs: Mapping[str, Sequence[Run]]) -> list[int]:
    """Seeds whose trainings, which are compared with each other, ran on different machines (`machines_of`)."""
    return [of_a_seed[0].seed for of_a_seed in zip(*runs.values(), strict=True) if machines_of(*of_a_seed)]


def machines_of(*runs: Run) -> bool:
    """Whether they ran on different machines, with another torch or number of threads, as far as they noted it.

    Sums over pixels depend on the number of threads, in the last digits, and a training on these.
    """
    made = together([run.made_with() for run in runs])
    return any(isinstance(made.get(key), list) for key in ("processor", "device", "torch", "threads"))


def check_one_truth(runs: Sequence[Run]) -> None:
    """Refuse trainings that were evaluated with different masks, which cannot be compared.

    Raises:
        ValueError: They were.
    """
    first: tuple[Run, np.ndarray] | None = None
    for run in runs:
        pixels = load_labels(str(run.record / "areas.npz"))
        if first is None:
            first = run, pixels
        elif not np.array_equal(first[1], pixels):
            raise ValueError(
                f"{first[0].record} and {run.record} were evaluated with different validation masks: name another "
                "--work-dir and --records, or delete the older one"
            )


def _method(
    runs: Sequence[Run], areas: Float[np.ndarray, "s n k 2"], miou: Float[np.ndarray, " s"], classes: Sequence[str]
) -> dict[str, Any]:
    finished = [run.finished() or {} for run in runs]
    curves = [_curve(run) for run in runs]
    return {
        "config": str(runs[0].source.path),
        "mIoU": float(miou.mean()),
        "mIoU_per_seed": miou.tolist(),
        "IoU": dict(zip(classes, class_iou(areas).mean(axis=0).tolist(), strict=True)),
        "minutes": float(np.mean([run["minutes"] for run in finished])),
        "memory_gib": float(np.max([run["memory_gib"] for run in finished])),
        "iterations": curves[0][-1]["iteration"],
        "curves": curves,
    }


def _curve(run: Run) -> list[dict[str, float]]:
    remedy = f"put back a copy, or delete {run.record}, and it is trained again"
    points = read_json(run.record / "curve.json", remedy)
    return [{key: point[key] for key in ("iteration", "minutes", "mIoU")} for point in points]


def _gain(
    areas: Float[np.ndarray, "s n k 2"],
    base_areas: Float[np.ndarray, "s n k 2"],
    miou: Float[np.ndarray, " s"],
    base: Float[np.ndarray, " s"],
    block: int,
) -> dict[str, Any]:
    over_seeds = paired_t_test(miou, base)
    return {
        "mean": over_seeds.mean,
        "per_seed": (miou - base).tolist(),
        "interval": [over_seeds.low, over_seeds.high],
        "p_seeds": over_seeds.p,
        "p_images": paired_swap_test(areas, base_areas, block=block),
        "detectable": detectable_gain(miou - base),
    }
