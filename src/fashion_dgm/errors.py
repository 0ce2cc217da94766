"""The errors a user can cause: each says what is wrong, where, and what to do."""

__all__ = ["FashionDGMError"]


class FashionDGMError(Exception):
    """Base of every error whose message is meant for the user and needs no traceback."""
