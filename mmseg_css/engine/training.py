"""A training: from a config file and what the command line says to the Runner."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Final

from mmengine.config import Config
from mmengine.runner import Runner

from mmseg_css import compat
from mmseg_css.cfg_options import parse_options
from mmseg_css.config_files import read_config
from mmseg_css.datasets.checks import check_pretrained, check_training_paths, names_weights
from mmseg_css.engine.checkpoints import check_checkpoint, check_pretrained_fit, latest_whole
from mmseg_css.engine.downloads import downloads_explained
from mmseg_css.engine.hooks import use_data_checks
from mmseg_css.engine.work_dir import claimed, of_before
from mmseg_css.typos import check_top_level, explained

#: What a config must have.
NEEDED: Final = ("model", "train_dataloader.dataset", "train_cfg", "optim_wrapper")


def load_cfg(
    config: Path,
    *,
    work_dir: str | None = None,
    resume: str | None = None,
    amp: bool = False,
    cfg_options: Sequence[str] = (),
    launcher: str = "none",
) -> tuple[Config, list[str]]:
    """The config as the Runner gets it, and notes on what this machine made different.

    Args:
        config: The config file.
        work_dir: Instead of the config's, or of ``work_dirs/<name of the config>``.
        resume: A checkpoint, or ``auto`` for the last whole one in the work dir.
        amp: Whether to use mixed precision.
        cfg_options: ``KEY=VALUE``, settings of the config.
        launcher: As MMEngine calls it.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: An option is no ``KEY=VALUE``, or would change nothing.
    """
    if resume not in (None, "auto"):
        check_checkpoint(resume, "--resume")
    cfg = read_config(config, parse_options(cfg_options))
    cfg.launcher = launcher
    cfg.work_dir = work_dir or cfg.get("work_dir") or str(Path("work_dirs") / config.stem)
    notes: list[str] = []
    if resume not in (None, "auto"):
        cfg.resume, cfg.load_from = True, resume
    elif resume == "auto" or (cfg.get("resume") and not cfg.get("load_from")):
        notes += _resume_latest(cfg)
    if amp:
        compat.enable_amp(cfg)
    use_data_checks(cfg)
    return cfg, notes + compat.prepare_cfg(cfg, distributed=launcher != "none")


def _resume_latest(cfg: Config) -> list[str]:
    latest, notes = latest_whole(cfg.work_dir)
    cfg.resume = latest is not None
    if latest is None:
        return [*notes, f"there is no checkpoint in {cfg.work_dir} yet: training starts from the beginning"]
    cfg.load_from = str(latest)
    return [*notes, f"training goes on from {latest}"]


def train(cfg: Config, notes: Sequence[str] = (), *, trust_checkpoint: bool = False) -> None:
    """Check the config and its data as far as that is possible without a Runner, and train.

    Args:
        cfg: Of :func:`load_cfg`.
        notes: Logged before the training.
        trust_checkpoint: Whether checkpoints may run code.
    """
    if trust_checkpoint:
        compat.trust_checkpoints()
    compat.init_cpu_distributed(cfg.launcher)
    check_top_level(cfg, NEEDED)
    _check_runner(cfg)
    with explained(cfg), downloads_explained(cfg), claimed(cfg.work_dir, cfg.launcher):
        check_training_paths(cfg.train_dataloader.dataset)
        check_pretrained(cfg.model)
        runner = Runner.from_cfg(cfg)
        check_pretrained_fit(runner.model)
        runner.logger.info(f"Config, environment and order of the hooks: {runner.log_dir}/{runner.timestamp}.log")
        for note in [*notes, *_of_the_start(cfg)]:
            runner.logger.warning(note)
        runner.train()
        if last := runner.message_hub.get_info("last_ckpt"):
            told = f"mmseg-css test {quote(cfg.filename or 'CONFIG')} {quote(last)}"
            runner.logger.info(f"The last checkpoint is {last}. To evaluate it, with the same --cfg-options: {told}")


def _check_runner(cfg: Config) -> None:
    """Refuse another runner, or what only MMEngine's FlexibleRunner reads. (``strategy = "mix"`` is but a variable.)"""
    others = {
        "runner_type": cfg.get("runner_type", "Runner") != "Runner",
        "strategy": isinstance(cfg.get("strategy"), Mapping),
    }
    for key in [key for key, other in others.items() if other]:
        raise ValueError(
            f"the config has {key}={cfg[key]!r}, and trainings here are those of MMEngine's Runner alone: take {key} "
            "out; what a runner of your own does at some time of a training can be a hook (custom_hooks)"
        )


def _of_the_start(cfg: Config) -> Iterator[str]:
    """Notes on a training from the beginning."""
    if cfg.get("resume"):
        return
    yield from of_before(cfg.work_dir)
    if not cfg.get("load_from") and not names_weights(cfg.model):
        yield (
            "the network starts from random weights; with few labelled images those of ImageNet are worth much: name "
            "them in the backbone's init_cfg=dict(type='Pretrained', checkpoint=...)"
        )
