"""What `persona doctor` finds: one finding for each thing that could keep an assistant from answering. No network."""
