// cimforge leaf cells: technology-neutral behaviour, kept as instances so that a techmap can replace them by a
// library's own cells. Shared by all macros of a design.

// Full adder: 2*co + s = a + b + ci.
module cim_fa (
  input  wire a,
  input  wire b,
  input  wire ci,
  output wire s,
  output wire co
);
  assign s = a ^ b ^ ci;
  assign co = (a & b) | (ci & (a ^ b));
endmodule

// Half adder: 2*co + s = a + b.
module cim_ha (
  input  wire a,
  input  wire b,
  output wire s,
  output wire co
);
  assign s = a ^ b;
  assign co = a & b;
endmodule

// Latch, transparent while gate_n is low.
module cim_latch (
  input  wire gate_n,
  input  wire d,
  output reg  q
);
  always @* if (!gate_n) q = d;
endmodule

// Clock gate for latches that open in the low phase: gate_n is low while clk is low and enable is high. enable comes
// from flip-flops on the rising edge, so it settles while clk is high and gate_n has no glitch.
module cim_clkgate (
  input  wire clk,
  input  wire enable,
  output wire gate_n
);
  assign gate_n = clk | ~enable;
endmodule
