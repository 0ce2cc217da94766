"""Experiments about adversarial training that train no model of their own to keep."""
