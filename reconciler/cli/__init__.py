"""The command line: nothing else prints, exits or reads the environment."""
