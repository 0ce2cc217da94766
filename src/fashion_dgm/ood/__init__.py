"""Scores that detect OOD images: fitted to training images alone, and high where an image looks OOD."""

from fashion_dgm.ood.scorer import Scorer
from fashion_dgm.ood.scores import SCORES, Score
from fashion_dgm.ood.table import detection_table

__all__ = ["SCORES", "Score", "Scorer", "detection_table"]
