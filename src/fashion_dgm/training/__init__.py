"""The epoch loop that drives every model family, and the state that lets it resume."""
