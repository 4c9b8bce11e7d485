"""Every block of Python on the pages compiles, and those that can be run quickly are run.

``docs/new-method.md`` is typed and trained by ``tests/e2e/test_new_method.py``.
"""

from pathlib import Path
from typing import Final

import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmseg_css.models import CSS
from mmseg_css.models.heads import PSPProjectionHead
from mmseg_css.registry import MODELS
from tests.documentation.pages import PAGES, ROOT, Part, blocks

BLOCKS: Final = [block for page in PAGES for block in blocks(page) if block.language == "python"]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_blocks_compile(block: Part) -> None:
    try:
        compile(block.text, str(block), "exec")
    except SyntaxError:
        compile(f"{{{block.text}}}", str(block), "eval")  # a line of a dict


def test_the_model_of_the_readme_is_built(tmp_path: Path) -> None:
    [block] = [block for block in BLOCKS if block.page == ROOT / "README.md"]
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    (tmp_path / "config.py").write_text(block.text)
    with DefaultScope.overwrite_default_scope("mmseg"):
        model = MODELS.build(Config.fromfile(tmp_path / "config.py").model)
    assert isinstance(model, CSS)
    assert isinstance(model.student.decode_head, PSPProjectionHead)
