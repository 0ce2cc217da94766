"""Kedro datasets: raw image sets with sources, checkpoints, figures, atomic files."""
