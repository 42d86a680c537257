"""The stacks of this repository: one program, typed settings, and one settings file for each environment."""
