"""Evaluate a checkpoint: ``python tools/test.py CONFIG CHECKPOINT``.

A semi-supervised model predicts with its teacher unless ``--predict-on`` says otherwise; ``--predict-on both``
evaluates teacher and student one after the other and prints the two side by side. docs/evaluation.md has the protocols.
"""

import argparse
import inspect
import os
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

import mmseg_css  # noqa: E402, F401  (checks the stack and registers everything, before any config is read)

# isort: split
from mmengine.config import Config, ConfigDict, DictAction  # noqa: E402
from mmengine.dist import is_main_process  # noqa: E402
from mmengine.runner import Runner  # noqa: E402
from mmseg.registry import MODELS  # noqa: E402
from prettytable import PrettyTable  # noqa: E402

from mmseg_css import compat  # noqa: E402
from mmseg_css.typos import check_top_level, explained  # noqa: E402

MULTI_SCALE_FLIP = ROOT / "configs" / "_base_" / "evaluation" / "multi_scale_flip.py"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Evaluate a checkpoint on the test set of a config.")
    parser.add_argument("config", type=Path, help="the config file")
    parser.add_argument("checkpoint", help="the checkpoint: a file or a URL")
    parser.add_argument("--trust-checkpoint", action="store_true", help="load the checkpoint even if it can run code")
    parser.add_argument("--work-dir", help="where the log and the metrics go (default: work_dirs/<name of the config>)")
    parser.add_argument("--out", type=Path, help="a folder for the predicted label maps")
    parser.add_argument("--show-dir", type=Path, help="a folder for pictures of the predictions")
    parser.add_argument(
        "--predict-on",
        choices=["teacher", "student", "both"],
        help="which network of a semi-supervised model predicts (default: as the config says, else the teacher)",
    )
    parser.add_argument(
        "--evaluation",
        type=Path,
        metavar="FILE",
        help="evaluate by another protocol than the config's, e.g. configs/_base_/evaluation/slide_801.py",
    )
    parser.add_argument(
        "--tta",
        action="store_true",
        help=f"test-time augmentation: tta_model and tta_pipeline of the config, else those of {MULTI_SCALE_FLIP.name}",
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="override settings of the config, e.g. test_dataloader.num_workers=0",
    )
    parser.add_argument("--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help="set by some launchers; not by hand")
    args = parser.parse_args(argv)
    for path in filter(None, (args.config, args.evaluation)):
        if not path.is_file():
            parser.error(f"there is no config file {path}")
    if "://" not in args.checkpoint and not Path(args.checkpoint).is_file():
        parser.error(f"there is no checkpoint {args.checkpoint}")
    return args


def takes_predict_on(model: ConfigDict) -> bool:
    """Whether the model's class knows teacher and student; a plain MMSeg segmentor knows one network only."""
    kind = MODELS.get(model["type"]) if isinstance(model["type"], str) else model["type"]
    if kind is None:
        raise KeyError(f"model.type = {model['type']!r} is not registered; is its module in custom_imports?")
    return any("predict_on" in inspect.signature(base.__init__).parameters for base in kind.__mro__)


def load_cfg(args: argparse.Namespace, predict_on: str | None, folder: str = "") -> tuple[Config, list[str]]:
    """The config of one evaluation, and notes on what this machine made different.

    ``folder`` is appended to every folder that is written to, so that two evaluations keep apart.
    """
    cfg = Config.fromfile(args.config)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    if args.evaluation is not None:
        protocol = Config.fromfile(args.evaluation)
        if "test_cfg" not in protocol.get("model", {}):
            remedy = "pass --tta instead" if "tta_model" in protocol else "name one of configs/_base_/evaluation"
            raise ValueError(f"--evaluation {args.evaluation}: the file sets no model.test_cfg; {remedy}")
        network = cfg.model.get("segmentor", cfg.model)
        network.test_cfg = protocol.model.test_cfg
    cfg.launcher = args.launcher
    cfg.work_dir = str(Path(args.work_dir or cfg.get("work_dir") or Path("work_dirs") / args.config.stem) / folder)
    cfg.load_from = args.checkpoint
    cfg.resume = False
    if predict_on is not None:
        if not takes_predict_on(cfg.model):
            raise ValueError(
                f"--predict-on {args.predict_on}: the model of {args.config} ({cfg.model.type}) has no teacher and "
                "student; leave the option out"
            )
        cfg.model.predict_on = predict_on
    if args.show_dir is not None:
        draw_predictions(cfg, args.show_dir / folder)
    if args.tta:
        use_tta(cfg)
    if args.out is not None:
        evaluators = cfg.test_evaluator if isinstance(cfg.test_evaluator, list) else [cfg.test_evaluator]
        evaluators[0].output_dir = str(args.out / folder)
    return cfg, compat.prepare_cfg(cfg, distributed=args.launcher != "none")


def draw_predictions(cfg: Config, folder: Path) -> None:
    if "visualization" not in cfg.get("default_hooks", {}) or "visualizer" not in cfg:
        raise ValueError(
            "--show-dir needs default_hooks.visualization (SegVisualizationHook) and a visualizer in the config; "
            "the default runtime of MMSegmentation has both"
        )
    cfg.default_hooks.visualization.update(draw=True, interval=1)  # upstream draws every 50th batch by default
    cfg.visualizer.save_dir = str(folder)


def use_tta(cfg: Config) -> None:
    if "tta_pipeline" not in cfg:
        ours = Config.fromfile(MULTI_SCALE_FLIP)
        steps = cfg.test_dataloader.dataset.pipeline
        # Masks are compared at their own size.
        at = next((i for i, step in enumerate(steps) if step.type == "LoadAnnotations"), len(steps) - 1)
        transforms = [*ours.tta_transforms, *([step] for step in steps[at:])]
        cfg.tta_pipeline = [*steps[:at], ConfigDict(type="TestTimeAug", transforms=transforms)]
        cfg.tta_model = ours.tta_model
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline
    cfg.model = ConfigDict(**cfg.tta_model, module=cfg.model)


def evaluate(args: argparse.Namespace, predict_on: str | None, folder: str = "") -> dict[str, float]:
    cfg, notes = load_cfg(args, predict_on, folder)
    compat.init_cpu_distributed(args.launcher)
    if folder:  # MMEngine keeps its loggers and visualisers by these names
        cfg.experiment_name = f"{args.config.stem}_{folder}"
        if "visualizer" in cfg:
            cfg.visualizer.name = cfg.experiment_name
    check_top_level(cfg)
    with explained(cfg):
        runner = Runner.from_cfg(cfg)
        for note in notes:
            runner.logger.warning(note)
        return runner.test()


def comparison(results: Mapping[str, Mapping[str, float]]) -> str:
    """A table with a row for every network and a column for every metric."""
    metrics = list(dict.fromkeys(name for metric in results.values() for name in metric))
    table = PrettyTable(["predicted by", *metrics])
    for network, found in results.items():
        table.add_row([network, *(f"{found[name]:.2f}" if name in found else "" for name in metrics)])
    return table.get_string()


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    if args.trust_checkpoint:
        compat.trust_checkpoints()
    if args.predict_on != "both":
        evaluate(args, args.predict_on)
        return
    results = {network: evaluate(args, network, folder=network) for network in ("teacher", "student")}
    if is_main_process():
        print(comparison(results))


if __name__ == "__main__":
    main()
