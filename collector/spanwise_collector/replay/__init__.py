"""Tables rebuilt from Kafka beside those in use, compared with them, and put in their place."""
