"""A fast player of the macro's own emitted Verilog: Verilator and C++, without Python a cycle."""
