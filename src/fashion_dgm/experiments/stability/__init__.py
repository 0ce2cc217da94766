"""How stable adversarial training is: what is measured of a run, and what many runs decide."""
