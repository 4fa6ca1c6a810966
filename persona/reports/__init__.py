"""What a person looks at: pictures of plans for the terminal, and pages of datasets for the browser."""
