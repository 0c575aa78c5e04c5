"""A network as data: typed tensors, operators, nodes in order."""
