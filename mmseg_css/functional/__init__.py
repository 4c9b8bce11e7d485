"""The mathematics of the papers: pure functions on tensors, with no hidden state and no global randomness."""
