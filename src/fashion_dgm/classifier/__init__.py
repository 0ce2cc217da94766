"""The FashionMNIST classifier in whose features samples are compared: network, training and shipped weights."""

from fashion_dgm.classifier.network import Classifier, build_classifier
from fashion_dgm.classifier.reference import reference_classifier

__all__ = ["Classifier", "build_classifier", "reference_classifier"]
