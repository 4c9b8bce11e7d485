"""What is done with a trained network: predictions, a plain MMSeg model, an ONNX file."""

from mmseg_css.deployment.prediction import Prediction, Predictor

__all__ = ["Prediction", "Predictor"]
