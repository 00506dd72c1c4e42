"""The whole way on a real Kafka and a real ClickHouse; workers are killed."""
