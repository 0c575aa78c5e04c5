"""The engine: buffers, requantiser, command sequencer and DMA around one macro or several."""
