"""Edits of manifests that keep every other character: what `pull --update` writes."""
