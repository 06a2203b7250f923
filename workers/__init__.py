"""The processes that run, and the only place that reads settings and chooses implementations."""
