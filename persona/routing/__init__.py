"""What serves a route: arms, targets, and who is on which."""
