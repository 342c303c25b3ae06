"""Carries a plan out, proves it, and reports."""
