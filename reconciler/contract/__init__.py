"""What a task is: attributes, types, who may write them, and the schema that follows."""
