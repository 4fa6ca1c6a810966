"""One model call: resolve the target, try it, try it again, and say what came of it."""
