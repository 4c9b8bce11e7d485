"""What is done with a trained network: a plain MMSeg model, an ONNX file."""
