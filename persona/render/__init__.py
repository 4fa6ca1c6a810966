"""From what is known to the counted window of one arm: for live turns, shadow calls, training rows and replays."""
