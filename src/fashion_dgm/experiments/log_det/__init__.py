"""How well log-determinants are estimated: bias, variance and cost, on blocks small enough to know the truth.

Behrmann et al., 2019, truncate the series; Chen et al., 2019, play Russian roulette. What either costs depends on the
Jacobian: so the study takes random residual blocks of given Lipschitz constant and, where there is one, a trained flow.
"""

__all__ = ["TABLES"]

TABLES = ("blocks", "truncation", "probes", "estimators", "costs", "budgets", "tails")
"""The study's tables by name, in the order in which the node returns them."""
