"""What a person looks at: pictures of plans for the terminal."""
