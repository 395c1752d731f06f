"""The analysis of local files: paths go in, one result a line comes out; without Kafka and without an endpoint."""
