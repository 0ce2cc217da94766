"""Scores that tell images of another kind: fitted on training images alone, and high where an image looks foreign."""

from fashion_dgm.ood.scorer import Scorer
from fashion_dgm.ood.scores import SCORES, Score
from fashion_dgm.ood.table import detection_table

__all__ = ["SCORES", "Score", "Scorer", "detection_table"]
