"""An engine on a board without a processor: a link, on-chip memory, and the engine's DMA."""
