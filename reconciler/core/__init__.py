"""The core, without I/O: what differs between desired and live, and which changes are allowed."""
