"""Comparisons whose trainings are finished, without a training."""

import json
from pathlib import Path

import numpy as np

from mmseg_css.evaluation.comparison.compare import Question
from mmseg_css.evaluation.comparison.runs import Run

MIOU = {"base": (40.0, 41.0, 42.0), "new": (50.0, 52.0, 51.0), "all": (60.0, 60.0, 63.0)}
CONFIG = (
    "val_dataloader = dict(dataset=dict(type='DemoDataset'))\nval_evaluator = dict(type='IoUMetric')\n"
    "train_cfg = dict(max_iters=800)\n"
)
#: A training that leaves behind what one of `CONFIG` does, in the folder that it is given.
GIVES = """
import json, pathlib, sys
import numpy as np
folder = pathlib.Path(sys.argv[1])
(folder / "curve.json").write_text(json.dumps([{"iteration": 800, "minutes": 2.0, "mIoU": 50.0}]))
areas = np.full((6, 5), 100.0)
np.savez(folder / "areas.npz", intersection=areas / 2, union=areas, label=areas / 2)
"""
FAILS = "raise SystemExit('out of luck')"


def finish(run: Run, miou: float, classes: int = 5) -> None:
    """What a training that ended with this mIoU leaves behind."""
    run.folder.mkdir(parents=True)
    union = np.full((6, classes), 100.0)
    label = np.full((6, classes), 60)
    np.savez(run.folder / "areas.npz", intersection=union * miou / 100, union=union, label=label)
    curve = [{"iteration": 400, "minutes": 1.0, "mIoU": miou / 2}, {"iteration": 800, "minutes": 2.0, "mIoU": miou}]
    (run.folder / "curve.json").write_text(json.dumps(curve))
    run.finish({"minutes": 2.0, "memory_gib": 1.5, "made_with": {"threads": 1, "commit": f"c{run.seed // 2}"}})


def finish_all(question: Question, work_dir: Path) -> None:
    for name, runs in question.runs(work_dir).items():
        for one, miou in zip(runs, MIOU[name], strict=False):
            finish(one, miou)
