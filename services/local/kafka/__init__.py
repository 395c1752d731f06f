"""A real Apache Kafka as child processes: its jars, a Java to run them, its nodes."""
