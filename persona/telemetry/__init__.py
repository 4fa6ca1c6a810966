"""What turns, model calls, tools and embeddings tell an operator's OpenTelemetry; silent unless the settings ask."""
