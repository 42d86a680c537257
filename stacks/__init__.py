"""The stacks of this project: one program, one typed settings file, one configuration for each environment."""
