"""What is done with a trained network: predictions, balanced classes, images to label, a plain MMSeg model, ONNX."""

from mmseg_css.deployment.prediction import Prediction, Predictor

__all__ = ["Prediction", "Predictor"]
