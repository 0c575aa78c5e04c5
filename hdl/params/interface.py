"""The version of what software relies on."""

__all__ = ["ENGINE_VERSION", "INTERFACE_VERSION"]

# Counts changes of the register map and the meaning of the ports. It is part of every
# configuration's hash, so software refuses hardware of another version. A test pins what belongs to
# each version, so that neither changes without the other. The frames on a link have a version of
# their own (host/protocol.py), which is told before anything else is asked.
INTERFACE_VERSION = 3

# The same of the engine: its registers, its descriptors, and what they mean.
ENGINE_VERSION = 1
