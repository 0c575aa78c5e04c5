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

// 4:2 compressor: 2*(cout + co) + s = a + b + c + d + ci; cout does not wait for d and ci.
module cim_c42 (
  input  wire a,
  input  wire b,
  input  wire c,
  input  wire d,
  input  wire ci,
  output wire s,
  output wire co,
  output wire cout
);
  wire t;
  assign t = a ^ b ^ c;
  assign cout = (a & b) | (c & (a ^ b));
  assign s = t ^ d ^ ci;
  assign co = (t & d) | (ci & (t ^ d));
endmodule

// Latch, transparent while gate is high.
module cim_latch (
  input  wire gate,
  input  wire d,
  output reg  q
);
  always @* if (gate) q = d;
endmodule

// Set-clear latch of gates: clear makes q 0, set makes it 1 where d is high. Never both at once.
module cim_set_clear (
  input  wire clear,
  input  wire set,
  input  wire d,
  output reg  q
);
  always @* if (clear) q = 1'b0; else if (set & d) q = 1'b1;
endmodule

// Clock gate for latches that open in the low phase: gate is high while clk is low and enable (or test_en, in a scan
// test) is high. enable comes from flip-flops on the rising edge, so it settles while clk is high and gate has no
// glitch.
module cim_clkgate (
  input  wire clk,
  input  wire enable,
  input  wire test_en,
  output wire gate
);
  assign gate = ~clk & (enable | test_en);
endmodule

// Drivers of WIDTH nets with many loads, each of which drives LOADS pins: wires to a simulator, and to a technology
// that buffers nets by itself.
module cim_driver #(
  parameter WIDTH = 1,
  parameter LOADS = 32
) (
  input  wire [WIDTH-1:0] a,
  output wire [WIDTH-1:0] y
);
  assign y = a;
endmodule

// y = a + (b ^ flip), modulo 2^WIDTH: one carry chain where a technology inverts on it.
module cim_flip_add #(parameter WIDTH = 1) (
  input wire [WIDTH-1:0] a,
  input wire [WIDTH-1:0] b,
  input wire flip,
  output wire [WIDTH-1:0] y
);
  assign y = a + (b ^ {WIDTH{flip}});
endmodule
