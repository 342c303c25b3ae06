"""The pure core: what differs between desired and live, and what of it may be done."""
