// Behavioural model of the block RAM of iCE40 as it is used here, for simulation; the vendor's block
// has this name. 256 words of 16 bits: written at the rising edge of WCLK while WCLKE and WE are high,
// where MASK is low; read into the output at the rising edge of RCLK while RCLKE and RE are high.
// What it holds at first is arbitrary: a design must not rely on it.
// SPDX-License-Identifier: Apache-2.0
module SB_RAM40_4K (
  output wire [15:0] RDATA,
  input wire RCLK,
  input wire RCLKE,
  input wire RE,
  input wire [10:0] RADDR,
  input wire WCLK,
  input wire WCLKE,
  input wire WE,
  input wire [10:0] WADDR,
  input wire [15:0] MASK,
  input wire [15:0] WDATA
);
  parameter WRITE_MODE = 0;
  parameter READ_MODE = 0;
  reg [15:0] word [0:255];
  reg [15:0] read_q;
  integer place;

  initial for (place = 0; place < 256; place = place + 1) word[place] = {2{~place[7:0]}};
  always @(posedge WCLK) if (WCLKE && WE) word[WADDR[7:0]] <= (word[WADDR[7:0]] & MASK) | (WDATA & ~MASK);
  always @(posedge RCLK) if (RCLKE && RE) read_q <= word[RADDR[7:0]];
  assign RDATA = read_q;
endmodule
