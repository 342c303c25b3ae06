"""What a run uses: from the settings file, the environment and the command line."""
