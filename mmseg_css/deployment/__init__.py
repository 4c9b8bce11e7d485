"""What is done with a trained network: predictions, images to label next, a plain MMSeg model, an ONNX file."""

from mmseg_css.deployment.prediction import Prediction, Predictor

__all__ = ["Prediction", "Predictor"]
