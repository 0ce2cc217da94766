"""Evaluation of samples: feature spaces, the features of real images, and the distances of samples to them."""
