"""`make up` and `make down`: the stack `local` on the local Azure."""
