"""MMSeg's data preprocessor, for batches of labelled and unlabelled images."""

from typing import Any

from mmseg.models import SegDataPreProcessor

from mmseg_css.registry import MODELS


@MODELS.register_module()
class SemiDataPreprocessor(SegDataPreProcessor):
    """Normalises and pads each branch of ``{'labeled': batch, 'unlabeled': batch}`` as MMSeg does a batch.

    A batch without branches (evaluation, inference) goes through unchanged semantics: it is MMSeg's own.
    """

    def forward(self, data: dict, training: bool = False) -> dict[str, Any]:
        if "inputs" in data:
            return super().forward(data, training)
        branches = {name: super(SemiDataPreprocessor, self).forward(batch, training) for name, batch in data.items()}
        return {key: {name: batch[key] for name, batch in branches.items()} for key in ("inputs", "data_samples")}
