"""Does the paired path teach the labelled images what an ordinary MMSeg training does? From the root of the repository:

PYTHONPATH=benchmarks mmseg-css compare ordinary=configs/css/supervised_lite0_demo.py \
    paired=benchmarks/labels_alone_demo.py --seeds 0 1 2 3 4 5 6 7 8 9 10 11 --jobs 2 \
    --cfg-options train_cfg.max_iters=400 param_scheduler.0.end=400 --work-dir work_dirs/labels_alone

They come to the same, bit by bit (docs/pc2seg.md).
"""

import torch

from mmseg_css.models import SemiSegmentor
from mmseg_css.models.segmentors.batch import Images, supervised_pass
from mmseg_css.registry import MODELS


@MODELS.register_module()
class LabelsAlone(SemiSegmentor):
    """A method that is given unlabelled images, and leaves them alone."""

    def losses(self, labeled: Images, unlabeled: Images, generator: torch.Generator) -> tuple[dict, dict]:
        return supervised_pass(self.student, labeled)[0], {}
