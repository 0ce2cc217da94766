"""What a flow's inverse makes of latents that its prior would hardly draw."""
