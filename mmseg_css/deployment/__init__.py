"""What is done with a trained network: diagnosis, predictions, balanced classes, images to label, a plain model."""

from mmseg_css.deployment.prediction import Prediction, Predictor

__all__ = ["Prediction", "Predictor"]
