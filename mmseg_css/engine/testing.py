"""Evaluations of a checkpoint: from a config file and what the command line says to the Runner."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mmengine.config import Config, ConfigDict
from mmengine.dist import is_main_process, master_only
from mmengine.runner import Runner
from mmseg.registry import DATASETS, MODELS
from prettytable import PrettyTable

from mmseg_css import compat
from mmseg_css.cfg_options import parse_options
from mmseg_css.config_files import read_config
from mmseg_css.datasets.checks import dataset_configs, mirrored
from mmseg_css.engine.checkpoints import check_checkpoint
from mmseg_css.engine.downloads import without_downloads
from mmseg_css.engine.hooks import use_data_checks
from mmseg_css.engine.memory import memory_explained
from mmseg_css.locations import CONFIGS
from mmseg_css.typos import check_top_level, explained

#: What a config must have.
NEEDED: Final = ("model", "test_dataloader.dataset", "test_cfg", "test_evaluator")
MULTI_SCALE_FLIP: Final = CONFIGS / "_base_" / "evaluation" / "multi_scale_flip.py"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What is asked for.

    Attributes:
        config: The config file.
        checkpoint: A file or a URL.
        work_dir: Instead of the config's, or of ``work_dirs/<name of the config>``.
        out: A folder for the predicted label maps.
        show: How many seconds each prediction is shown in a window.
        show_dir: A folder for pictures of the predictions.
        protocol: A config file whose ``model.test_cfg`` replaces the config's.
        tta: Whether to augment.
        cfg_options: ``KEY=VALUE``, settings of the config.
        launcher: As MMEngine calls it.
        metric: Config of a metric in place of the config's.
    """

    config: Path
    checkpoint: str
    work_dir: str | None = None
    out: Path | None = None
    show: float | None = None
    show_dir: Path | None = None
    protocol: Path | None = None
    tta: bool = False
    cfg_options: Sequence[str] = ()
    launcher: str = "none"
    metric: Mapping[str, Any] | None = None


class Evaluating(Runner):
    """A Runner that leaves the config of a training, which lies in the same work dir under the same name, as it is.

    It would start from the weights that were evaluated, or train the model of an augmentation.
    """

    @master_only
    def dump_config(self) -> None:
        """Beside the log of the evaluation."""
        self.cfg.dump(str(Path(self.log_dir) / Path(self.cfg.filename or "config.py").name))


def takes_predict_on(model: ConfigDict) -> bool:
    """Whether the model's class knows teacher and student; a plain MMSeg segmentor knows one network only."""
    kind = MODELS.get(model["type"]) if isinstance(model["type"], str) else model["type"]
    if kind is None:
        raise KeyError(f"model.type = {model['type']!r} is not registered; is its module in custom_imports?")
    return any("predict_on" in inspect.signature(base.__init__).parameters for base in kind.__mro__)


def load_cfg(asked: Evaluation, predict_on: str | None = None, folder: str = "") -> tuple[Config, list[str]]:
    """The config of one evaluation, and notes on what this machine made different.

    ``folder`` is appended to every folder that is written to, so that two evaluations keep apart.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: Options do not fit each other or the config.
    """
    check_checkpoint(asked.checkpoint)
    cfg = read_config(asked.config, parse_options(asked.cfg_options))
    if asked.metric is not None:
        cfg.test_evaluator = dict(asked.metric)
    if asked.protocol is not None:
        use_protocol(cfg, asked.protocol)
    cfg.launcher = asked.launcher
    cfg.work_dir = str(Path(asked.work_dir or cfg.get("work_dir") or Path("work_dirs") / asked.config.stem) / folder)
    cfg.load_from = asked.checkpoint
    cfg.resume = False
    without_downloads(cfg.model)
    if predict_on is not None:
        if not takes_predict_on(cfg.model):
            raise ValueError(
                f"--predict-on {predict_on}: the model of {asked.config} ({cfg.model.type}) has no teacher and "
                "student; leave the option out"
            )
        cfg.model.predict_on = predict_on
    if asked.show_dir is not None or asked.show is not None:
        draw_predictions(cfg, asked.show_dir and asked.show_dir / folder, asked.show)
    if asked.tta:
        use_tta(cfg)
    if asked.out is not None:
        evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
        evaluators[0].output_dir = str(asked.out / folder)
    use_data_checks(cfg)
    notes = compat.prepare_cfg(cfg, distributed=asked.launcher != "none")
    if takes_predict_on(cfg.model) and cfg.model.get("teacher"):
        notes.append(f"evaluated is the {cfg.model.get('predict_on') or 'teacher'} (--predict-on)")
    return cfg, notes


def use_protocol(cfg: Config, file: Path) -> None:
    """Let another file say how the network is evaluated.

    Raises:
        ValueError: The file sets no ``model.test_cfg``.
    """
    protocol = read_config(file)
    if "test_cfg" not in protocol.get("model", {}):
        remedy = "pass --tta instead" if "tta_model" in protocol else "name one of configs/_base_/evaluation"
        raise ValueError(f"--evaluation {file}: the file sets no model.test_cfg; {remedy}")
    network = cfg.model.get("segmentor", cfg.model)
    network.test_cfg = protocol.model.test_cfg


def draw_predictions(cfg: Config, folder: Path | None, seconds: float | None) -> None:
    """Let every prediction be drawn, into a folder, or in a window for so many seconds, or both.

    Raises:
        ValueError: Nothing in the config draws.
    """
    if "visualization" not in cfg.get("default_hooks", {}) or "visualizer" not in cfg:
        raise ValueError(
            "--show and --show-dir need default_hooks.visualization (SegVisualizationHook) and a visualizer in the "
            "config; the default runtime of MMSegmentation has both"
        )
    cfg.default_hooks.visualization.update(draw=True, interval=1)  # upstream draws every 50th batch by default
    if folder is not None:
        cfg.visualizer.save_dir = str(folder)
    if seconds is not None:
        cfg.default_hooks.visualization.update(show=True, wait_time=seconds)


def use_tta(cfg: Config) -> None:
    """Augment at test time, as the config says, or else in `MULTI_SCALE_FLIP`'s way."""
    model = None
    for dataset in _with_pipelines(cfg.test_dataloader.dataset):  # several within a ConcatDataset
        dataset["pipeline"], model = tta_of(cfg, dataset["pipeline"])
    if model is None:
        raise ValueError(
            "--tta: test_dataloader.dataset of the config has no pipeline to augment: give its data set one"
        )
    cfg.model = ConfigDict(**model, module=cfg.model)


def _with_pipelines(config: Any) -> Iterator[dict[str, Any]]:
    """The data sets in the config of one, whatever it is wrapped in, that say how their images are read."""
    if isinstance(config, Mapping) and "pipeline" in config:
        yield config  # type: ignore[misc]
    elif isinstance(config, Mapping | list | tuple):
        for child in config.values() if isinstance(config, Mapping) else config:
            yield from _with_pipelines(child)


def tta_of(
    cfg: Config, steps: Sequence[ConfigDict], classes: Sequence[str] = ()
) -> tuple[list[ConfigDict], ConfigDict]:
    """The pipeline and the model of test-time augmentation: the config's, or else `MULTI_SCALE_FLIP`'s in ``steps``.

    Args:
        cfg: The config.
        steps: Its test pipeline.
        classes: Of the network, where a checkpoint names them; those of the config's test set are looked at, too.
    """
    if "tta_pipeline" in cfg:
        return cfg.tta_pipeline, cfg.tta_model
    ours = Config.fromfile(MULTI_SCALE_FLIP)
    # Masks are compared at their own size.
    at = next((i for i, step in enumerate(steps) if step.type == "LoadAnnotations"), len(steps) - 1)
    resized, flips = ours.tta_transforms
    if mirrored(classes) or mirrored(_classes(cfg)):  # the network would see the right side on the left
        flips = flips[:1]
    transforms = [resized, flips, *([step] for step in steps[at:])]
    return [*steps[:at], ConfigDict(type="TestTimeAug", transforms=transforms)], ours.tta_model


def _classes(cfg: Config) -> Sequence[str]:
    """The classes that the config's test set names, as far as that can be told without its files."""
    dataset: Mapping[str, Any] = next(dataset_configs((cfg.get("test_dataloader") or {}).get("dataset")), {})
    kind = dataset.get("type")
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    known = {**getattr(kind, "METAINFO", {}), **(dataset.get("metainfo") or {})}
    return known.get("classes") or ()


def evaluate(asked: Evaluation, predict_on: str | None = None, folder: str = "") -> dict[str, float]:
    """The metrics of one network."""
    cfg, notes = load_cfg(asked, predict_on, folder)
    compat.init_cpu_distributed(asked.launcher)
    if folder:  # MMEngine keeps its loggers and visualisers by these names
        cfg.experiment_name = f"{asked.config.stem}_{folder}"
        if "visualizer" in cfg:
            cfg.visualizer.name = cfg.experiment_name
    check_top_level(cfg, NEEDED)
    with explained(cfg):
        runner = Evaluating.from_cfg(cfg)
        for note in notes:
            runner.logger.warning(note)
        with memory_explained():
            return runner.test()


def comparison(results: Mapping[str, Mapping[str, float]]) -> str:
    """A table with a row for every network and a column for every metric."""
    metrics = list(dict.fromkeys(name for metric in results.values() for name in metric))
    table = PrettyTable(["predicted by", *metrics])
    for network, found in results.items():
        table.add_row([network, *(f"{found[name]:.2f}" if name in found else "" for name in metrics)])
    return table.get_string()


def test(asked: Evaluation, predict_on: str | None = None, *, trust_checkpoint: bool = False) -> None:
    """Evaluate one network, or with ``both`` teacher and student, and print the two side by side."""
    if trust_checkpoint:
        compat.trust_checkpoints()
    if predict_on != "both":
        evaluate(asked, predict_on)
        return
    results = {network: evaluate(asked, network, folder=network) for network in ("teacher", "student")}
    if is_main_process():
        print(comparison(results))
