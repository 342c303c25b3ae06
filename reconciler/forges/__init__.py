"""Forges: what reviews need of the APIs of GitHub and GitLab."""
