"""From a plan or a report to text, a module a format."""
