"""One module for each broker that tests talk to."""
