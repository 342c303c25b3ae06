"""From manifests to a plan and from a plan to a report, with the checks that guard both."""
