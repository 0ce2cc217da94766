"""Figures, and the report made of them."""
