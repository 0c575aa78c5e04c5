// Behavioural model of the LUT RAM of ECP5, for simulation; the vendor's block has this name.
// 16 words of 4 bits: written at the rising edge of WCK while WRE is high, read at once.
// What it holds at first is arbitrary: a design must not rely on it.
// SPDX-License-Identifier: Apache-2.0
module TRELLIS_DPR16X4 (
  input wire [3:0] DI,
  input wire [3:0] WAD,
  input wire WRE,
  input wire WCK,
  input wire [3:0] RAD,
  output wire [3:0] DO
);
  parameter WCKMUX = "WCK";
  parameter WREMUX = "WRE";
  reg [3:0] word [0:15];
  integer place;

  initial for (place = 0; place < 16; place = place + 1) word[place] = ~place[3:0];
  always @(posedge WCK) if (WRE) word[WAD] <= DI;
  assign DO = word[RAD];
endmodule
