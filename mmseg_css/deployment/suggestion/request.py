"""A call of ``mmseg-css suggest``: from what the command line says to files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from mmseg_css.cfg_options import parse_options
from mmseg_css.config_files import read_config
from mmseg_css.datasets.pictures import SUGGESTIONS
from mmseg_css.deployment.labelled import check_classes
from mmseg_css.deployment.prediction.folder import Summary, check_all_read
from mmseg_css.deployment.prediction.inputs import Item
from mmseg_css.deployment.prediction.outputs import fingerprint
from mmseg_css.deployment.prediction.predictor import Predictor
from mmseg_css.deployment.suggestion.choosing import CANDIDATES, RULES, Choice, Rule, choose
from mmseg_css.deployment.suggestion.pool import Pool, ending_of_lines, in_the_way, line_of, pool_of, values_of
from mmseg_css.deployment.suggestion.scoring import SCORES, Seen, look, scores_of_method
from mmseg_css.deployment.suggestion.writing import (
    FORMATS,
    LIST,
    TABLE,
    Format,
    check_free,
    write_labels,
    write_record,
)
from mmseg_css.files import replacing
from mmseg_css.functional.suggestion import rarity
from mmseg_css.models.segmentors.decoding import check_model


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for; see `choose` and `write_labels`.

    Raises:
        ValueError: A number is too small, or belongs to another rule.
    """

    config: Path
    checkpoint: str
    budget: int
    out: Path
    by: Rule = "views"
    candidates: int | None = None
    seed: int = 0
    formats: Sequence[Format] = FORMATS
    overwrite: bool = False
    cfg_options: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, value in (("budget", self.budget), ("candidates", self.candidates)):
            if value is not None and value < 1:
                raise ValueError(f"--{name} must be at least 1, got {value}")
        if self.candidates is not None and self.by not in SCORES:
            raise ValueError(
                f"--candidates are the highest by a score, and --by {self.by} has none: leave one of the two out"
            )


def suggest(asked: Request) -> None:
    """Suggest images, write what is asked for, and say what was done.

    Raises:
        TypeError: The network has no logits for every pixel.
        FileNotFoundError: The config, the checkpoint, a folder or a list is not there.
        FileExistsError: The folder that is to be written holds something, or another call is writing it.
        OSError: It cannot be written into.
        ValueError: Something does not fit, or some images could not be read and all others are done.
    """
    pool, predictor = _given(asked)
    check_free(asked.out, overwrite=asked.overwrite)
    with replacing(asked.out, FORMATS) as folder:
        weights = rarity(pool.pixels)
        labelled = look(predictor, pool.labelled, weights, "labelled images")
        seen = look(predictor, [image.path for image in pool.unlabelled], weights, "unlabelled images")
        choice = _chosen(asked, seen, labelled)
        images = [pool.unlabelled[seen.indices[index]] for index in choice.indices]
        faults = labelled.faults + seen.faults
        rows = _rows(pool, seen, choice)
        values = values_of(pool.labelled_set, len(pool.classes))
        write_record(folder, _circumstances(asked, pool, predictor, weights) | {"unreadable": faults, "images": rows})
        for image in tqdm(images if asked.formats else (), desc="labels to correct", unit="image", leave=False):
            [prediction] = predictor.predict([predictor.prepare(image.path)])
            write_labels(folder, asked.formats, image, prediction.labels, predictor.classes, asked.out, values)
    print(
        f"suggested {len(images)} of {len(pool.unlabelled)} images; written to {asked.out}: "
        + ", ".join((TABLE, SUGGESTIONS, LIST, *asked.formats))
    )
    _tell_of_names(images, pool.labelled_set)
    check_all_read(Summary(faults=faults))


def _tell_of_names(images: Sequence[Item], labelled_set: Any) -> None:
    """What a training would not find under its line, or take for another image."""
    ending = ending_of_lines(labelled_set)
    if other := [str(image.path) for image in images if not str(image.path).endswith(ending)]:
        print(
            f"{len(other)} of them do not end in {ending!r}, as the labelled images do (img_suffix), the first: "
            f"{other[0]!r}; convert them, for a training to find them under their lines"
        )
    if taken := [(str(image.path), path) for image in images if (path := in_the_way(image, labelled_set))]:
        print(
            f"{len(taken)} of them have the name of another image in the folder of the labelled ones, the first: "
            f"{taken[0][0]!r} that of {taken[0][1]!r}; rename them before they go there, also in {LIST} and the labels"
        )


def _given(asked: Request) -> tuple[Pool, Predictor]:
    """The images and the network, which fit each other and what is asked for."""
    options = parse_options(asked.cfg_options)
    cfg = read_config(asked.config, options)
    check_model(cfg.model)
    pool = pool_of(cfg)
    if asked.budget > (there := len(pool.unlabelled)):
        raise ValueError(f"--budget {asked.budget}: {asked.config} has {there} images without labels; ask for fewer")
    predictor = Predictor(asked.config, asked.checkpoint, cfg_options=options)
    if asked.by in SCORES and asked.by not in (known := scores_of_method(predictor.model)):
        raise ValueError(
            f"--by {asked.by}: a {type(predictor.model).__name__} has one space, and nothing that could disagree with "
            f"it; choose among {', '.join((*known, *(rule for rule in RULES if rule not in SCORES)))}"
        )
    check_classes(predictor.classes.names, pool.classes, asked.checkpoint, str(asked.config))
    predictor.classes = predictor.classes._replace(names=pool.classes)  # those of the checkpoint may have had none
    return pool, predictor


def _chosen(asked: Request, seen: Seen, labelled: Seen) -> Choice:
    for looked, kind in ((seen, "unlabelled"), (labelled, "labelled")):
        if not looked.indices:
            raise ValueError(f"no {kind} image could be read:\n  " + "\n  ".join(looked.faults))
    return choose(
        seen.scores,
        torch.stack(seen.vectors),
        torch.stack(labelled.vectors),
        by=asked.by,
        budget=asked.budget,
        candidates=asked.candidates or CANDIDATES,
        seed=asked.seed,
    )


def _rows(pool: Pool, seen: Seen, choice: Choice) -> list[dict[str, Any]]:
    """What is known of each suggested image."""
    rows = []
    for rank, (index, distance) in enumerate(zip(choice.indices, choice.distances, strict=True), start=1):
        image = pool.unlabelled[seen.indices[index]]
        row: dict[str, Any] = {"rank": rank, "image": str(image.path), "line": line_of(image, pool.labelled_set)}
        row |= {str(score): value for score, value in seen.scores[index].items()} | {"distance": distance}
        # As many digits as two machines may agree on.
        rows.append({key: float(f"{value:.5g}") if isinstance(value, float) else value for key, value in row.items()})
    return rows


def _circumstances(asked: Request, pool: Pool, predictor: Predictor, weights: Float[Tensor, " k"]) -> dict[str, Any]:
    """What the suggestions depend on."""
    return {
        "config": str(asked.config),
        "checkpoint": asked.checkpoint,
        "fingerprint": fingerprint(asked.checkpoint),
        "method": type(predictor.model).__name__,
        "by": asked.by,
        "candidates": (asked.candidates or CANDIDATES) if asked.by in SCORES else None,
        "seed": asked.seed if asked.by == "random" else None,
        "labelled": len(pool.labelled),
        "unlabelled": len(pool.unlabelled),
        "weights": dict(zip(pool.classes, weights.tolist(), strict=True)),
    }
