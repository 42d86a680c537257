"""Tools of an agent, and the toolbox that serves them."""
