"""What the networks of the baselines need beside the heads that were there."""

import pytest
import torch
from mmseg.models.decode_heads import DPTHead

from mmseg_css.models import DeepLabV3PlusHead
from mmseg_css.models.heads import MapDPTHead
from mmseg_css.registry import MODELS
from tests.models.methods.helpers import plain_segmentor

DPT = {
    "in_channels": [8] * 4,
    "in_index": [0, 1, 2, 3],
    "input_transform": "multiple_select",
    "channels": 4,
    "embed_dims": 8,
    "post_process_channels": [4, 4, 4, 4],
    "num_classes": 3,
    "dropout_ratio": 0,
}


@pytest.mark.parametrize("batch", [1, 2])
def test_dpt_of_maps_is_mmsegs_beside_unused_class_tokens(batch: int) -> None:
    """In a batch of two MMSeg's own would take the images for a map and its token."""
    torch.manual_seed(0)
    own, mmsegs = MapDPTHead(**DPT).eval(), DPTHead(**DPT).eval()
    own.load_state_dict(mmsegs.state_dict())
    levels = [torch.rand(batch, 8, 4, 4) for _ in range(4)]
    torch.testing.assert_close(own(levels), mmsegs([(level, torch.rand(batch, 8)) for level in levels]))


def test_refinements_follow_the_joined_map_and_none_changes_nothing() -> None:
    torch.manual_seed(0)
    heads = [MODELS.build(plain_segmentor(refinements=number)).decode_head.eval() for number in (0, 2)]
    assert all(isinstance(head, DeepLabV3PlusHead) for head in heads)
    assert not [name for name in heads[0].state_dict() if "refine" in name]
    convolutions = [m for m in heads[1].refine.modules() if isinstance(m, torch.nn.Conv2d)]
    assert [(m.in_channels, m.out_channels, m.kernel_size) for m in convolutions] == [(8, 8, (3, 3))] * 2
    features = [torch.rand(2, 8, 8, 8), torch.rand(2, 8, 4, 4)]
    heads[1].load_state_dict(heads[0].state_dict(), strict=False)
    joined: list[torch.Tensor] = []
    heads[1].fuse.register_forward_hook(lambda module, args, output: joined.append(output))
    found = heads[1](features)
    assert torch.equal(found, heads[1].cls_seg(heads[1].refine(joined[0])))
    assert not torch.allclose(found, heads[0](features))
