// Behavioural model of the block RAM of ECP5 as it is used here, for simulation; the vendor's block
// has this name. 512 words of 36 bits: port A writes at the rising edge of CLKA while CEA and WEA are
// high, all four bytes (ADA3..0); port B reads into a register at the rising edge of CLKB while CEB is
// high, and on into the output register while OCEB is (REGMODE OUTREG). DIB and DOB are the upper half.
// What it holds at first is arbitrary: a design must not rely on it.
// SPDX-License-Identifier: Apache-2.0
module DP16KD (
  input wire CLKA, CEA, OCEA, WEA, RSTA, CSA0, CSA1, CSA2, CLKB, CEB, OCEB, WEB, RSTB, CSB0, CSB1, CSB2,
  input wire ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
  input wire ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
  input wire DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14,
    DIA15, DIA16, DIA17,
  input wire DIB0, DIB1, DIB2, DIB3, DIB4, DIB5, DIB6, DIB7, DIB8, DIB9, DIB10, DIB11, DIB12, DIB13, DIB14,
    DIB15, DIB16, DIB17,
  output wire DOA0, DOA1, DOA2, DOA3, DOA4, DOA5, DOA6, DOA7, DOA8, DOA9, DOA10, DOA11, DOA12, DOA13, DOA14,
    DOA15, DOA16, DOA17,
  output wire DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14,
    DOB15, DOB16, DOB17
);
  parameter DATA_WIDTH_A = 36;
  parameter DATA_WIDTH_B = 36;
  parameter REGMODE_A = "OUTREG";
  parameter REGMODE_B = "OUTREG";
  parameter RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000";
  parameter CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL";
  parameter WRITEMODE_B = "NORMAL";
  parameter GSR = "DISABLED";
  reg [35:0] word [0:511];
  reg [35:0] read_q, out_q;
  wire [8:0] write_address = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5};
  wire [8:0] read_address = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5};
  wire [17:0] d_low = {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3,
    DIA2, DIA1, DIA0};
  wire [17:0] d_high = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4, DIB3,
    DIB2, DIB1, DIB0};
  integer place;

  initial for (place = 0; place < 512; place = place + 1) word[place] = {4{~place[8:0]}};
  always @(posedge CLKA) if (CEA && WEA) begin
    if (ADA0) word[write_address][8:0] <= d_low[8:0];
    if (ADA1) word[write_address][17:9] <= d_low[17:9];
    if (ADA2) word[write_address][26:18] <= d_high[8:0];
    if (ADA3) word[write_address][35:27] <= d_high[17:9];
  end
  always @(posedge CLKB) begin
    if (CEB) read_q <= word[read_address];
    if (OCEB) out_q <= read_q;
  end
  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4, DOA3,
    DOA2, DOA1, DOA0} = REGMODE_A == "OUTREG" ? out_q[17:0] : read_q[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4, DOB3,
    DOB2, DOB1, DOB0} = REGMODE_B == "OUTREG" ? out_q[35:18] : read_q[35:18];
endmodule
