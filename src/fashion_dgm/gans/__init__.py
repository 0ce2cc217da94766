"""Generator, discriminator / critic, objectives and their training steps."""
