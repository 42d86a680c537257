"""`make figures`: what this project promises, measured, each beside its target."""
