"""How well an emitted engine is fed: layers in simulations whose memory is Verilog, too."""
