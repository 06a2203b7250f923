"""A talking head from one photo, on a CPU."""
