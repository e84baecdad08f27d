"""A Kafka broker to talk to: one that is there, one started on this machine, or one in a container."""
