"""Images without masks: from files to label maps."""

from mmseg_css.deployment.prediction.predictor import Prediction, Predictor

__all__ = ["Prediction", "Predictor"]
