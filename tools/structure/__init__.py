"""Counts that show how well the library is arranged: packages, layers, import cycles, loops that wait, and others."""
