"""Saving a plan, and reading the saved one that is to be applied."""

from __future__ import annotations

from reconciler.artifacts.plan_file import read_plan, write_plan

__all__ = ["read_plan", "write_plan"]
