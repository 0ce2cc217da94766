"""Measures of arrays of features, scores or images: arrays in, floats out, no network and no file."""
