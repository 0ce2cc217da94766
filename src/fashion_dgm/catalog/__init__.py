"""Kedro datasets of the project, trained networks by name, and MLflow's registry of models."""
