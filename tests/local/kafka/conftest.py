from tests.kafka_fixtures import kafka, kafka_jars

__all__ = ["kafka", "kafka_jars"]
