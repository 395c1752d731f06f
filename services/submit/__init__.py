"""A client of the endpoint: a catalog goes in as batches, is followed, and comes out as results."""
