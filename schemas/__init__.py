"""The contract: what travels over Kafka and HTTP, declared once; everything published is generated from it."""
