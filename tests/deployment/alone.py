"""MMSeg alone: scripts in a process in which this package cannot be imported."""

import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from mmseg_css import compat
from mmseg_css.deployment.plain import Exported

# Upstream MMSegmentation needs an mmcv with operators, which none of these networks calls.
EACH = f"""
import json
import sys
from importlib.machinery import ModuleSpec
from unittest.mock import MagicMock
sys.modules["mmseg_css"] = None
if {compat.installed_version("mmcv-lite") is not None and compat.FAMILY.name == "openmmlab"}:
    sys.modules["mmcv._ext"] = MagicMock(__spec__=ModuleSpec("mmcv._ext", None))
import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner
from mmseg.apis import MMSegInferencer, inference_model, init_model
for script, config, checkpoint, image, out in json.loads(sys.argv[1]):
    exec(script)
assert not any(name.startswith("mmseg_css") for name in sys.modules if sys.modules[name] is not None)
"""
PREDICT = """
model = init_model(config, checkpoint, device="cpu")
result = inference_model(model, image)
np.savez(out, logits=result.seg_logits.data.numpy(), classes=np.array(model.dataset_meta["classes"]))
"""
INFER = f"""{PREDICT}
inferencer = MMSegInferencer(model=config, weights=checkpoint, device="cpu")
assert (inferencer(image, return_datasamples=True).pred_sem_seg.data == result.pred_sem_seg.data).all()
"""
TEST = f"""{INFER}
cfg = Config.fromfile(config)
cfg.load_from, cfg.work_dir = checkpoint, out + ".work"
np.save(out + ".miou.npy", Runner.from_cfg(cfg).test()["mIoU"])
"""


def run_alone(jobs: Iterable[tuple[str, Exported, Path, Path]]) -> None:
    """Scripts, each with what was exported, an image and the file to write, one after the other."""
    listed = [[script, *map(str, (own.config, own.checkpoint, image, out))] for script, own, image, out in jobs]
    command = [sys.executable, "-c", EACH, json.dumps(listed)]
    done = subprocess.run(command, cwd=Path(listed[0][-1]).parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
