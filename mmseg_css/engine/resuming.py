"""Going on with a training: what comes from the checkpoint, and what from the config where the two differ.

Weights, teacher, prototypes, momenta, the place in the data and the seed come from the checkpoint; every setting comes
from the config. Where nothing differs nothing is touched, and the run goes on bit by bit.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mmengine.runner import Runner

from mmseg_css.datasets.splits import fingerprint
from mmseg_css.engine.checkpoints import META_KEY
from mmseg_css.engine.images import trained_on
from mmseg_css.engine.iterations import ENDLESS, schedulers_of
from mmseg_css.engine.trained_with import SHOWN, other_settings
from mmseg_css.wording import some

#: What moves in a scheduler, or follows from other settings; the rest of its state are settings.
MOVING: Final = {"last_step", "_global_step", "_last_value", "verbose", "base_values", "total_iters"}
OPTIMIZER: Final = "optim_wrapper.optimizer.type"
LENGTH: Final = "train_cfg.max_iters"
PLACE: Final = "so the images go on from another place in their order"
#: What follows for the user where a setting is another one.
CONSEQUENCES: Final = {
    "train_dataloader.batch_size": PLACE,
    "train_dataloader.sampler.ratio": PLACE,
    LENGTH: "so what rises or falls with the training goes by the new length from here on",
    "labelled images": "so the order of the images is another one",
    "unlabelled images": "so the order of the images is another one",
}
#: Sections of the config that are compared with the checkpoint's, and which of their keys: the rest is said already.
COMPARED: Final = {
    "model": r"",
    "optim_wrapper": r"(?!optim_wrapper\.(optimizer|accumulative_counts)\b)",
    "train_dataloader": r".*\.pipeline\.",
}


def describe(runner: Runner) -> dict[str, Any]:
    """What a checkpoint notes of the run that wrote it, beside what MMEngine does."""
    loader = runner.train_dataloader
    images = trained_on(loader.dataset)
    return {
        "train_dataloader.batch_size": loader.batch_size,
        "train_dataloader.sampler.ratio": list(getattr(loader.sampler, "ratio", [])),
        "optim_wrapper.accumulative_counts": runner.optim_wrapper._accumulative_counts,
        OPTIMIZER: type(runner.optim_wrapper.optimizer).__name__,
        "param_scheduler": [type(scheduler).__name__ for scheduler in schedulers_of(runner)],
        LENGTH: runner.max_iters,
        "labelled images": f"{len(images.labeled)}, fingerprint {fingerprint(images.labeled.values())[:12]}",
        "unlabelled images": f"{len(images.unlabeled)}, fingerprint {fingerprint(images.unlabeled.values())[:12]}",
    }


def reconcile(runner: Runner, checkpoint: dict[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Let the config's settings count in a checkpoint that is resumed from, in place; says which are others.

    Raises:
        ValueError: Training cannot go on from it like this: it holds no optimiser, or one of another type, a schedule
            that goes by metrics was changed, or the schedule is over.
    """
    if "optimizer" not in checkpoint:
        raise ValueError(
            "the checkpoint holds no optimiser, as those of the best metric, and cannot be resumed from: take an "
            "iter_*.pth, or start from its weights with load_from=... and without --resume"
        )
    before = checkpoint["meta"].get(META_KEY, {}).get("run", {})  # older ones do not say
    if before.get(OPTIMIZER, now[OPTIMIZER]) != now[OPTIMIZER]:
        raise ValueError(
            f"the checkpoint was written with {before[OPTIMIZER]}, and the config has {now[OPTIMIZER]}, to which its "
            f"state means nothing: set {OPTIMIZER}={before[OPTIMIZER]!r}, or start from its weights with load_from=..."
        )
    notes = _seed(runner, checkpoint)
    for key in before.keys() & now.keys() - {OPTIMIZER, "param_scheduler"}:
        if before[key] != now[key]:
            consequence = f", {CONSEQUENCES[key]}" if key in CONSEQUENCES else ""
            notes.append(f"{key}: {now[key]}, the config's; the checkpoint has {before[key]}{consequence}")
    notes += _schedule(runner, checkpoint, before.get("param_scheduler", now["param_scheduler"]))
    notes += _sections(runner, checkpoint)
    if before.get(LENGTH, 0) < now[LENGTH]:  # else a schedule that ends before the training was meant to
        _check_not_over(runner, checkpoint)
    return sorted(notes)


def _seed(runner: Runner, checkpoint: dict[str, Any]) -> list[str]:
    before, now = checkpoint["meta"].get("seed"), runner._randomness_cfg.get("seed")
    if now is None or before is None or before == now:
        return []
    return [f"randomness.seed: {before}, the checkpoint's, so that its draws go on; the config has {now}"]


def _sections(runner: Runner, checkpoint: dict[str, Any]) -> Iterator[str]:
    """What differs in model, pipelines and the optimiser's wrapper, as far as the checkpoint's config can be read."""
    for section, compared in COMPARED.items():
        other = other_settings(runner.cfg, checkpoint["meta"].get("cfg"), section)
        if said := [words for key, words in other.items() if re.match(compared, key)]:
            yield f"{section}: the config's settings; the checkpoint was trained with others: {some(said, SHOWN)}"


def _schedule(runner: Runner, checkpoint: dict[str, Any], kinds: list[str]) -> list[str]:
    """Optimiser and schedule by the config; where they are others, the schedule is computed anew up to here."""
    groups, saved = runner.optim_wrapper.optimizer.param_groups, checkpoint["optimizer"]["param_groups"]
    schedulers, states = schedulers_of(runner), checkpoint.get("param_schedulers", [])
    if len(groups) != len(saved):  # torch refuses that
        return []
    notes = []
    for key in sorted({key for group in groups for key in group if not _moves(key, group)}):
        pairs = [(old[key], new[key]) for old, new in zip(saved, groups, strict=True) if key in old and key in new]
        if differing := [pair for pair in pairs if pair[0] != pair[1]]:
            old, new = differing[0]
            notes.append(f"optimiser, {key}: {new}, the config's; the checkpoint has {old}")
    if kinds != [type(scheduler).__name__ for scheduler in schedulers] or len(states) != len(schedulers):
        notes.append(f"param_scheduler: the config's; the checkpoint has {', '.join(kinds) or 'none'}")
    for index, (scheduler, state) in enumerate(zip(schedulers, states, strict=False)):
        if getattr(scheduler, "need_val_args", False):  # moves by metrics, and mixes settings with what moves
            continue
        for key, new in scheduler.state_dict().items():
            if key not in MOVING and key in state and state[key] != new:
                notes.append(f"param_scheduler[{index}].{key}: {new}, the config's; the checkpoint has {state[key]}")
    if notes:
        notes.append(_replay(runner, checkpoint))
    return notes


def _moves(key: str, group: Mapping[str, Any]) -> bool:
    return key == "params" or f"initial_{key}" in group


def _replay(runner: Runner, checkpoint: dict[str, Any]) -> str:
    """Step the config's schedulers to the checkpoint's iteration, and put what comes out into the checkpoint."""
    iteration, schedulers = checkpoint["meta"]["iter"], schedulers_of(runner)
    if any(getattr(scheduler, "need_val_args", False) for scheduler in schedulers):
        raise ValueError(
            "optimiser or schedule are not the checkpoint's, and a schedule that goes by metrics cannot be computed "
            "anew: take the config in the checkpoint's work dir, or start from its weights with load_from=..."
        )
    groups, saved = runner.optim_wrapper.optimizer.param_groups, checkpoint["optimizer"]["param_groups"]
    before = saved[0]["lr"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's optimiser has not stepped yet
        for _ in range(iteration):
            for scheduler in schedulers:
                scheduler.step()
    for old, new in zip(saved, groups, strict=True):
        old.update({key: value for key, value in new.items() if key != "params"})
    if (base := runner.optim_wrapper.base_param_settings) is not None:  # a group of its own, for the log's base_lr
        checkpoint["optimizer"]["base_param_settings"] = base
    checkpoint["param_schedulers"] = [scheduler.state_dict() for scheduler in schedulers]
    return (
        f"schedule: as if the config's had been followed from the start, lr = {groups[0]['lr']:.4g} (was {before:.4g})"
    )


def _check_not_over(runner: Runner, checkpoint: dict[str, Any]) -> None:
    iteration = checkpoint["meta"]["iter"]
    end = max((scheduler.end for scheduler in schedulers_of(runner)), default=ENDLESS)
    group = checkpoint["optimizer"]["param_groups"][0]
    if end <= iteration < runner.max_iters and group["lr"] < group.get("initial_lr", 0.0):
        raise ValueError(
            f"the schedule ended at iteration {end}, and the training would go on to {runner.max_iters} with a "
            f"learning rate of {group['lr']:.4g}, its last: raise the end in param_scheduler to {runner.max_iters}, "
            "too, or train on from the weights alone, with load_from=... and without --resume"
        )
