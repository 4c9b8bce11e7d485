"""Numbers of results, as JSON can hold them."""

from typing import Any

import numpy as np


def without_nan(node: Any) -> Any:
    """NaN is no JSON: what is not known is null."""
    if isinstance(node, dict):
        return {key: without_nan(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [without_nan(value) for value in node]
    return None if isinstance(node, float) and not np.isfinite(node) else node
