"""Files of plans and reports: written, read back, and checked against their schemas."""
