"""Saving a plan, and reading a saved plan to apply."""

from __future__ import annotations

from reconciler.artifacts.plan_file import read_plan, write_plan

__all__ = ["read_plan", "write_plan"]
