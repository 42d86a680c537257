"""The core: what an agent's version is, how it comes to be and goes, and how traffic moves. Standard library only."""
