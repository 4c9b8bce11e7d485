"""The training loop, and the hooks that say what happens when."""

from mmseg_css.engine.dataloaders import build_dataloader, use_everywhere
from mmseg_css.engine.hooks import *  # noqa: F403
from mmseg_css.engine.log_processor import ForgettingLogProcessor
from mmseg_css.engine.loops import PairedTrainLoop

__all__ = ["ForgettingLogProcessor", "PairedTrainLoop", "build_dataloader"]

use_everywhere()
