"""Personal data in the messages of a conversation: found, and replaced by what is nobody's. Pure: values in and out."""
