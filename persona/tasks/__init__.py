"""Background work: what the outbox holds, done in this process or by another."""
