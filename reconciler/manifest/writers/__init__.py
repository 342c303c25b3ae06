"""Manifests as text: what `pull` writes."""
