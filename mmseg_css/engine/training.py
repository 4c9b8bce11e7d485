"""Train the model of a config: ``python tools/train.py configs/css/css_r101_voc_1-8.py``.

The options are those MMSegmentation users know. The work dir receives the log, the config in full and the checkpoints.
"""

import argparse
import os
import sys
from pathlib import Path


import mmseg_css  # noqa: E402, F401  (checks the stack and registers everything, before any config is read)

# isort: split
from mmengine.config import Config, DictAction  # noqa: E402
from mmengine.runner import Runner  # noqa: E402

from mmseg_css import compat  # noqa: E402
from mmseg_css.datasets.checks import check_pretrained, check_training_paths  # noqa: E402
from mmseg_css.engine.checkpoints import latest_whole  # noqa: E402
from mmseg_css.typos import check_top_level, explained  # noqa: E402


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the model of a config.")
    parser.add_argument("config", type=Path, help="the config file")
    parser.add_argument("--work-dir", help="where logs and checkpoints go (default: work_dirs/<name of the config>)")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="auto|PATH",
        help="continue from a checkpoint; without a path, or with 'auto', from the last whole one in the work dir",
    )
    parser.add_argument("--trust-checkpoint", action="store_true", help="load checkpoints even if they can run code")
    parser.add_argument("--amp", action="store_true", help="mixed precision: as MMEngine on a GPU, bfloat16 on a CPU")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="override settings of the config, e.g. train_cfg.max_iters=100 model.decode_head.num_classes=19",
    )
    parser.add_argument("--launcher", choices=["none", "pytorch", "slurm", "mpi"], default="none")
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help="set by some launchers; not by hand")
    args = parser.parse_args(argv)
    if not args.config.is_file():
        parser.error(f"there is no config file {args.config}")
    if args.resume not in (None, "auto") and "://" not in args.resume and not Path(args.resume).is_file():
        parser.error(f"--resume: there is no checkpoint {args.resume}")
    return args


def load_cfg(args: argparse.Namespace) -> tuple[Config, list[str]]:
    """The config as the Runner gets it, and notes on what this machine made different."""
    cfg = Config.fromfile(args.config)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or str(Path("work_dirs") / args.config.stem)
    notes: list[str] = []
    if args.resume not in (None, "auto"):
        cfg.resume, cfg.load_from = True, args.resume
    elif args.resume == "auto" or (cfg.get("resume") and not cfg.get("load_from")):
        latest, notes = latest_whole(cfg.work_dir)
        cfg.resume = latest is not None
        if latest is None:
            notes.append(f"there is no checkpoint in {cfg.work_dir} yet: training starts from the beginning")
        else:
            notes.append(f"training goes on from {latest}")
            cfg.load_from = str(latest)
    if args.amp:
        compat.enable_amp(cfg)
    return cfg, notes + compat.prepare_cfg(cfg, distributed=args.launcher != "none")


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    if args.trust_checkpoint:
        compat.trust_checkpoints()
    cfg, notes = load_cfg(args)
    compat.init_cpu_distributed(args.launcher)
    check_top_level(cfg)
    with explained(cfg):
        check_training_paths(cfg.train_dataloader.dataset)
        check_pretrained(cfg.model)
        runner = Runner.from_cfg(cfg)
        for note in notes:
            runner.logger.warning(note)
        runner.train()


if __name__ == "__main__":
    main()
