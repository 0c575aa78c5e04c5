"""Networks on a system with a RISC-V core: their data as C, and who runs them there."""
