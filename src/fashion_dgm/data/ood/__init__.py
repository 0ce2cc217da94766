"""Images from elsewhere: published sets, transformed and synthetic images, and the user's own."""

from fashion_dgm.data.ood.build import build_sets, in_order, partners_of
from fashion_dgm.data.ood.published import PUBLISHED_SETS, PublishedSet

__all__ = ["PUBLISHED_SETS", "PublishedSet", "build_sets", "in_order", "partners_of"]
