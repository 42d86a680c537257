"""Counts what keeps the library easy to find one's way in: rooms, layers, circles, loops that wait, narrowed values."""
