"""What `init` makes: a folder with settings, a first manifest, the schema and CI."""
