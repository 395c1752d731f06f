"""Running a service: settings, logs, Kafka, health and metrics. Nothing here knows what the events mean."""
