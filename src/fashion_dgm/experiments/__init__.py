"""Experiments with trained models: each folder one experiment, whose results a pipeline writes."""
