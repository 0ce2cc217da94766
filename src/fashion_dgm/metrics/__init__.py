"""Distances between sets of images, and scores of single ones."""
