"""Label Studio over HTTP: transport, authentication, retries, and the requests of its API."""
