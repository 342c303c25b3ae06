"""A stand-in for Label Studio, to try and test with."""
