"""`make lowest` and `make newest`: the tests with other versions of the dependencies than `.venv` has."""
