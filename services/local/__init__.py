"""Everything on one machine, around a real Kafka: for trying huestream, for the demo and for tests."""
