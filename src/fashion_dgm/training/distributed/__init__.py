"""Training in several processes: what they do together, how they are started, and how other machines join."""
