"""An engine in a LiteX system: a module for systems of one's own, and a system to try it on."""
