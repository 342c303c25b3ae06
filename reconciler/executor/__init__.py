"""Carrying out a plan: sending its updates, verifying them, and recording each outcome."""
