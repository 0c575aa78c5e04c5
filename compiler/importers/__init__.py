"""Files of networks, as a Graph."""
