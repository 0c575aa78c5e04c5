// Behavioural model of the block RAM of Gowin as it is used here, for simulation; the vendor's block
// has this name. 512 words of 36 bits: written at the rising edge of CLKA while CEA is high, the bytes
// that ADA[3:0] name; read into a register at the rising edge of CLKB while CEB is high, and on into
// the output register while OCE is (READ_MODE 1).
// What it holds at first is arbitrary: a design must not rely on it.
// SPDX-License-Identifier: Apache-2.0
module SDPX9B (
  input wire CLKA,
  input wire CEA,
  input wire CLKB,
  input wire CEB,
  input wire OCE,
  input wire RESETA,
  input wire RESETB,
  input wire [13:0] ADA,
  input wire [13:0] ADB,
  input wire [2:0] BLKSELA,
  input wire [2:0] BLKSELB,
  input wire [35:0] DI,
  output wire [35:0] DO
);
  parameter READ_MODE = 1'b1;
  parameter BIT_WIDTH_0 = 36;
  parameter BIT_WIDTH_1 = 36;
  parameter BLK_SEL_0 = 3'b000;
  parameter BLK_SEL_1 = 3'b000;
  parameter RESET_MODE = "SYNC";
  reg [35:0] word [0:511];
  reg [35:0] read_q, out_q;
  integer place;

  initial for (place = 0; place < 512; place = place + 1) word[place] = {4{~place[8:0]}};
  always @(posedge CLKA) if (CEA) begin
    if (ADA[0]) word[ADA[13:5]][8:0] <= DI[8:0];
    if (ADA[1]) word[ADA[13:5]][17:9] <= DI[17:9];
    if (ADA[2]) word[ADA[13:5]][26:18] <= DI[26:18];
    if (ADA[3]) word[ADA[13:5]][35:27] <= DI[35:27];
  end
  always @(posedge CLKB) begin
    if (CEB) read_q <= word[ADB[13:5]];
    if (OCE) out_q <= read_q;
  end
  assign DO = READ_MODE ? out_q : read_q;
endmodule
