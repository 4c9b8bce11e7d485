"""The teacher's moving average (step 11)."""

import numpy as np
from numpy.typing import NDArray


def ema_decay(step: int, maximum: float) -> float:
    """min(1 - 1 / (t + 1), maximum), t counted from 0."""
    return min(1.0 - 1.0 / (step + 1), maximum)


def ema_update(target: NDArray[np.float64], source: NDArray[np.float64], decay: float) -> NDArray[np.float64]:
    """decay * target + (1 - decay) * source, element by element."""
    out = np.zeros_like(target, dtype=np.float64)
    for position in np.ndindex(target.shape):
        out[position] = decay * float(target[position]) + (1.0 - decay) * float(source[position])
    return out
