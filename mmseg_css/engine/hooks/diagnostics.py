"""Look into the training: which classes the contrast uses, and what the pseudo-labels look like."""

from typing import Any, Final

import cv2
import numpy as np
import torch
from einops import rearrange
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.nn import functional as F

from mmseg_css.engine.hooks.method import check_once, unwrap
from mmseg_css.models.data_preprocessor import gives_bgr
from mmseg_css.models.segmentors import Diagnostics
from mmseg_css.registry import HOOKS

STATE_KEY: Final = "anchors"


@HOOKS.register_module()
class DiagnosticsHook(Hook):
    """Log the anchors that a contrast used per class, and show panels of input, pseudo-label and prediction.

    Args:
        log_interval: iterations between two lines about anchors.
        image_interval: iterations between two panels.
        max_images: images of the batch that a panel shows, one row each.
        patience: iterations in a row after which a loss of the unlabelled images that is 0 is said in the log.
    """

    priority = "LOW"

    def __init__(
        self, *, log_interval: int = 50, image_interval: int = 500, max_images: int = 4, patience: int = 500
    ) -> None:
        self.log_interval = log_interval
        self.image_interval = image_interval
        self.max_images = max_images
        self.patience = patience
        self._zeros: dict[str, torch.Tensor | int] = {}

    def before_run(self, runner: Runner) -> None:
        check_once(runner, self)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None, outputs: dict | None = None
    ) -> None:
        self._watch(runner, outputs or {})
        diagnostics = unwrap(runner.model).diagnostics
        if diagnostics is None:
            return
        if diagnostics.anchors is not None:
            self._count(runner, diagnostics.anchors)
        if self.every_n_train_iters(runner, self.image_interval):
            runner.visualizer.add_image("pseudo_labels", self._panel(runner, diagnostics), step=runner.iter + 1)

    def _watch(self, runner: Runner, losses: dict[str, torch.Tensor]) -> None:
        """Say of each loss of the unlabelled images, whenever it begins, that it has been 0 for long."""
        for name, value in losses.items():
            if name.startswith("unsup.") and "loss" in name:
                self._zeros[name] = (self._zeros.get(name, 0) + 1) * (value == 0)
        if not self.every_n_train_iters(runner, self.log_interval):
            return
        for name, zeros in self._zeros.items():
            if self.patience <= int(zeros) < self.patience + self.log_interval:
                runner.logger.warning(
                    f"{name} has been 0 for {int(zeros)} iterations, so that the unlabelled images teach nothing by "
                    "it. Where its weight is 0, that is why; else, as a rule, no pseudo-label is confident enough: "
                    "lower the threshold of that loss, or begin with weights that were trained on the labelled "
                    "images (load_from=...)"
                )

    def _count(self, runner: Runner, anchors: torch.Tensor) -> None:
        """Add this iteration's anchors; log their mean now and then."""
        # Where checkpoints find them; a sum of a device is not read here.
        total, iterations = runner.message_hub.get_info(STATE_KEY, (0, 0))
        total, iterations = anchors + torch.as_tensor(total).to(anchors), iterations + 1
        runner.message_hub.update_info(STATE_KEY, (total, iterations))
        if self.every_n_train_iters(runner, self.log_interval):
            classes = runner.train_dataloader.dataset.metainfo["classes"]
            mean = (total / iterations).tolist()
            runner.logger.info(
                "anchors per class and iteration: "
                + ", ".join(f"{name} {count:.0f}" for name, count in zip(classes, mean, strict=True))
            )
            scalars = {f"anchors/{name}": count for name, count in zip(classes, mean, strict=True)}
            runner.visualizer.add_scalars(scalars, step=runner.iter + 1)
            runner.message_hub.update_info(STATE_KEY, (0, 0))

    def _panel(self, runner: Runner, diagnostics: Diagnostics) -> np.ndarray:
        """Rows of input, pseudo-label (ignored pixels black), prediction; RGB."""
        image, pseudo_label, logits, *_ = diagnostics
        size = image.shape[2:]
        preprocessor: Any = unwrap(runner.model).data_preprocessor
        colour = image.shape[1] >= 3
        channels = slice(0, 3 if colour else 1)  # the first channel stands for an image that has no three
        pictures = image[: self.max_images, channels]
        if hasattr(preprocessor, "mean"):  # without one images are as they were read
            pictures = pictures * preprocessor.std[channels] + preprocessor.mean[channels]
        pictures = pictures.clamp(0, 255).flip(1) if gives_bgr(preprocessor, image) else pictures.clamp(0, 255)
        rgb = rearrange(pictures.expand(-1, 3, -1, -1), "b c h w -> b h w c").byte().cpu().numpy()
        prediction = F.interpolate(logits[: self.max_images], size, mode="bilinear").argmax(dim=1)

        colours = np.zeros((256, 3), np.uint8)
        palette = np.array(runner.train_dataloader.dataset.metainfo["palette"], np.uint8)
        colours[: len(palette)] = palette
        # A method may have its pseudo-labels at the decoder's stride.
        shown = F.interpolate(pseudo_label[: self.max_images, None].float(), size, mode="nearest")[:, 0].long()
        maps = [colours[maps.cpu().numpy()] for maps in (shown, prediction)]
        panel = np.concatenate([np.concatenate(row, axis=1) for row in zip(rgb, *maps, strict=True)])
        return cv2.copyMakeBorder(panel, 2, 2, 2, 2, cv2.BORDER_CONSTANT)
