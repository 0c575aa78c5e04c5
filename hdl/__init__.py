"""What the hardware is. Importing it registers the adder trees a configuration may name."""

from cimforge.hdl.arith import planners as _planners  # noqa: F401 - registers the topologies
