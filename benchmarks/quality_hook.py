"""What `PseudoLabelQualityHook` costs: its share of the processor time of a training.

    OMP_NUM_THREADS=1 python benchmarks/quality_hook.py configs/css/css_lite0_demo.py data/demo/labels/train
    OMP_NUM_THREADS=1 python benchmarks/quality_hook.py configs/css/css_lite0_camvid_1-30.py data/camvid/labels/train

Loading happens in the process itself, so that the masks count, too; the first steps are left out.
"""

import argparse
import tempfile
import time
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

import mmseg_css.register  # noqa: F401
from mmseg_css.config_files import read_config
from mmseg_css.engine.hooks import PseudoLabelQualityHook

WARM_UP = 5


class Clock(Hook):
    """Begins to count after the warm-up."""

    priority = "VERY_LOW"

    def __init__(self, spent: dict[str, float]) -> None:
        self.spent = spent
        self.begin = 0.0

    def after_train_iter(self, runner: Runner, *_: Any, **__: Any) -> None:
        if runner.iter + 1 == WARM_UP:
            self.spent.update(labels=0.0, masks=0.0)
            self.begin = time.process_time()
        self.spent["total"] = time.process_time() - self.begin


class TimedHook(PseudoLabelQualityHook):
    def __init__(self, spent: dict[str, float], masks: str) -> None:
        super().__init__(masks=masks)
        self.spent = spent

    def before_train(self, runner: Runner) -> None:
        super().before_train(runner)
        transforms = runner.train_dataloader.dataset.unlabeled.pipeline.transforms
        load = transforms[0]
        transforms[0] = lambda results: self.timed("masks", load, results)

    def after_train_iter(self, *args: Any, **options: Any) -> None:
        self.timed("labels", super().after_train_iter, *args, **options)

    def timed(self, what: str, call: Any, *args: Any, **options: Any) -> Any:
        begin = time.process_time()
        result = call(*args, **options)
        self.spent[what] = self.spent.get(what, 0.0) + time.process_time() - begin
        return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config")
    parser.add_argument("masks")
    parser.add_argument("--steps", type=int, default=105)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cfg = read_config(args.config)
    cfg.merge_from_dict({"train_dataloader.num_workers": 0, "log_level": "ERROR"})
    cfg.train_cfg.update(max_iters=args.steps, val_begin=args.steps + 1)
    spent: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as cfg.work_dir:
        runner = Runner.from_cfg(cfg)
        for hook in (TimedHook(spent, args.masks), Clock(spent)):
            runner.register_hook(hook)
        runner.train()
    total = spent.pop("total")
    shares = ", ".join(f"{name} {100 * seconds / total:.2f} %" for name, seconds in spent.items())
    print(f"{args.config}: {shares} of {total / (args.steps - WARM_UP):.3f} s a step")


if __name__ == "__main__":
    main()
