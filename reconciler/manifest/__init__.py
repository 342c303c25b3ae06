"""From files to desired tasks, with the place of every value."""
