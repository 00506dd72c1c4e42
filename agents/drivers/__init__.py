"""The far side of the ports: Kafka, ClickHouse, memory, and real services on this machine."""
