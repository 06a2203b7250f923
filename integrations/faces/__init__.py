"""Faces: who is seen while the voice speaks."""
