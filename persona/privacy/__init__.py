"""What users may ask of us: to erase, to hand over, to join, to agree, and to look through what is known."""
