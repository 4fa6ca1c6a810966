"""What keeps an exchange or an example out: small pure functions, each with a name and a reason."""
