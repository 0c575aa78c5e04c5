// Two macros in one design: the same vector times two matrices in one cycle, one macro in flip-flops and one in latches.
// Their inner modules carry their macro's name and the leaf cells are shared, so nothing clashes. integration.md says how
// this example is built; its testbench is below.
module two_macros (
  input  wire        clk,
  input  wire        rst,
  input  wire        test_en,
  // one vector for both: taken when both are ready
  input  wire        x_valid,
  output wire        x_ready,
  input  wire [31:0] x_data,
  // both results together
  output wire        y_valid,
  input  wire        y_ready,
  output wire [47:0] y_flop,
  output wire [47:0] y_latch,
  // rows of weights; w_latch says for which macro
  input  wire        w_valid,
  output wire        w_ready,
  input  wire        w_latch,
  input  wire [2:0]  w_row,
  input  wire [15:0] w_data,
  input  wire        w_signed
);
  wire x_ready_flop, x_ready_latch, y_valid_flop, y_valid_latch, w_ready_flop, w_ready_latch;

  // A macro's ready does not depend on its own valid, so two may wait for each other without a loop.
  assign x_ready = x_ready_flop & x_ready_latch;
  assign y_valid = y_valid_flop & y_valid_latch;
  assign w_ready = w_latch ? w_ready_latch : w_ready_flop;

  cim_r8c4_w4x4_k1_b1_flop_csa in_flops (
    .clk(clk), .rst(rst),
    .x_valid(x_valid & x_ready_latch), .x_ready(x_ready_flop), .x_data(x_data), .x_bits(3'd0), .x_signed(1'b1),
    .y_valid(y_valid_flop), .y_ready(y_ready & y_valid_latch), .y_data(y_flop),
    .w_valid(w_valid & ~w_latch), .w_ready(w_ready_flop), .w_row(w_row), .w_data(w_data), .w_signed(w_signed),
    .r_valid(1'b0), .r_ready(), .r_row(3'd0), .q_valid(), .q_ready(1'b1), .q_data()
  );

  cim_r8c4_w4x4_k1_b1_latch_csa in_latches (
    .clk(clk), .rst(rst), .test_en(test_en),
    .x_valid(x_valid & x_ready_flop), .x_ready(x_ready_latch), .x_data(x_data), .x_bits(3'd0), .x_signed(1'b1),
    .y_valid(y_valid_latch), .y_ready(y_ready & y_valid_flop), .y_data(y_latch),
    .w_valid(w_valid & w_latch), .w_ready(w_ready_latch), .w_row(w_row), .w_data(w_data), .w_signed(w_signed),
    .r_valid(1'b0), .r_ready(), .r_row(3'd0), .q_valid(), .q_ready(1'b1), .q_data()
  );
endmodule

module two_macros_tb;
  reg clk = 0, rst = 1, x_valid = 0, w_valid = 0, w_latch = 0, w_signed = 0;
  reg [31:0] x_data = 0;
  reg [2:0] w_row = 0;
  reg [15:0] w_data = 0;
  wire x_ready, y_valid, w_ready;
  wire [47:0] y_flop, y_latch;

  two_macros dut (
    .clk(clk), .rst(rst), .test_en(1'b0), .x_valid(x_valid), .x_ready(x_ready), .x_data(x_data), .y_valid(y_valid),
    .y_ready(1'b1), .y_flop(y_flop), .y_latch(y_latch), .w_valid(w_valid), .w_ready(w_ready), .w_latch(w_latch),
    .w_row(w_row), .w_data(w_data), .w_signed(w_signed)
  );

  always #5 clk = ~clk;

  // Row r holds r + 1 in columns 0..2 and 15 in column 3: unsigned in the flip-flops, signed (15 is -1, 8 is -8) in latches.
  task write_row(input latch, input integer row);
    begin
      w_latch = latch;
      w_signed = latch;
      w_row = row;
      w_data = 16'hf111 + 16'h0111 * row;
      w_valid = 1;
      @(negedge clk);
      while (!w_ready) @(negedge clk);
      @(posedge clk) #1 w_valid = 0;
    end
  endtask

  integer row;
  initial begin
    repeat (2) @(posedge clk);
    #1 rst = 0;
    for (row = 0; row < 8; row = row + 1) begin
      write_row(0, row);
      write_row(1, row);
    end
    // Elements -1, -8, 7, 1, 0, 2, -7, 4 for rows 0..7; results worked by hand: 3 and -30, -61 and 2.
    x_data = 32'h4920178f;
    x_valid = 1;
    @(negedge clk);
    while (!x_ready) @(negedge clk);
    @(posedge clk) #1 x_valid = 0;
    @(negedge clk);
    while (!y_valid) @(negedge clk);
    if (y_flop === 48'hfe2003003003 && y_latch === 48'h002fc3fc3fc3) $display("PASS");
    else $display("FAIL %h %h", y_flop, y_latch);
    $finish;
  end
endmodule
