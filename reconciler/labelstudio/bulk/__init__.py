"""Reading many tasks in few requests."""
