"""Label Studio tasks as code: manifests, plan, apply."""
