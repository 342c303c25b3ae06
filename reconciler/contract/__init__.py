"""The attributes of a task: their types, who may write them, and the schemas that follow."""
