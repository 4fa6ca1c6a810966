"""The face: `AsyncAssistant`, which is the real one, and `Assistant`, its portal for code without an event loop."""
