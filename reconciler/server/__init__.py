"""Label Studio over HTTP: requests, tokens, errors, bulk reading."""
