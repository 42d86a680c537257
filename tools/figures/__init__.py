"""`make figures`: what this project promises, measured, each with its target."""
