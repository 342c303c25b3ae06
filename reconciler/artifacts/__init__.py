"""Files of plans and reports: written, read back, and held against their schemas."""
