"""A system on an FPGA: a RISC-V core, memory, UART, timer, and an engine beside them."""
