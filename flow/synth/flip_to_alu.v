// An adder that inverts one operand, as one carry chain that inverts by itself where the FPGA's can.
module cim_flip_add #(parameter WIDTH = 1) (
  input wire [WIDTH-1:0] a,
  input wire [WIDTH-1:0] b,
  input wire flip,
  output wire [WIDTH-1:0] y
);
  wire [WIDTH-1:0] x, co;
  \$alu #(
    .A_SIGNED(1'b0), .B_SIGNED(1'b0), .A_WIDTH(WIDTH), .B_WIDTH(WIDTH), .Y_WIDTH(WIDTH)
  ) _TECHMAP_REPLACE_ (.A(a), .B(b), .CI(1'b0), .BI(flip), .Y(y), .X(x), .CO(co));
endmodule
