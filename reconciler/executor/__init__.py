"""Carries a plan out, proves it, and says what became of each task."""
