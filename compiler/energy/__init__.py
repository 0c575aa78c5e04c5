"""What a network moves and what that takes, here and on a von Neumann machine."""
