"""What a flow's likelihood is made of: by term and by layer, between two sets of images, and to second order.

Separate from `flows`: nothing here decides a training's outcome, so a change here retrains nothing.
"""

from fashion_dgm.experiments.likelihood.decomposition import Decomposition, decompose
from fashion_dgm.experiments.likelihood.trace import Layer, Trace, trace

__all__ = ["Decomposition", "Layer", "Trace", "decompose", "trace"]
