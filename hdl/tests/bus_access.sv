  // What each access is: its place, and whether it is right there, whatever the word.
  wire whole = adr[1:0] == 0 && sel == 4'hf;
  wire write = request && whole && we;
  wire read = request && whole && !we;
  wire in_x = adr >= @X_WINDOW@ && adr < @X_WINDOW@ + 4 * @X_WORDS@;
  wire in_w = adr >= @W_WINDOW@ && adr < @W_WINDOW@ + 4 * @W_WORDS@;
  wire in_y = adr >= @Y_WINDOW@ && adr < @Y_WINDOW@ + 4 * @Y_WORDS@;
  wire in_q = adr >= @Q_WINDOW@ && adr < @Q_WINDOW@ + 4 * @Q_WORDS@;
  wire has_bank = dat_w[23:16] < @BANKS@ && dat_w[30:24] == 0;
  wire has_row = {16'b0, dat_w[15:0]} < @ROWS@;
  wire fits_w = dat_w[23:16] < @BANKS@ && has_row && (dat_w & 32'd@W_RESERVED@) == 0;
  wire good_x = write && adr == @X_START@ && has_bank && !x_valid;
  wire good_w = write && adr == @W_START@ && fits_w && !w_valid;
  wire good_r = write && adr == @R_START@ && has_bank && has_row && !dat_w[31] && !r_valid;
  wire fill_x = write && in_x && !x_valid, fill_w = write && in_w && !w_valid;
  wire free_y = write && adr == @Y_NEXT@ && full_y, free_q = write && adr == @Q_NEXT@ && full_q;
  wire state = write && (adr == @CONTROL@ || adr == @IRQ_ENABLE@);
  wire good_write = good_x || good_w || good_r || fill_x || fill_w || free_y || free_q || state;
  wire good_read = read && (adr <= @IRQ_ENABLE@ || in_y && full_y || in_q && full_q);
  wire come_y = y_valid && !full_y, come_q = q_valid && !full_q;

  // Status: what waits, and tags that count what was started and what came.
  wire [4:0] states = {full_q, full_y, !r_valid, !w_valid, !x_valid};
  wire [31:0] status = {tag_q, tag_y, tag_r, tag_x, 3'b0, states};
  wire [31:0] word = (adr - (in_y ? @Y_WINDOW@ : @Q_WINDOW@)) / 4;
  wire signed [@Y_BITS@-1:0] result = kept_y >> word / @RESULT_WORDS@ * @Y_BITS@;
  wire signed [63:0] extended = result;
  reg [31:0] data;
  always @* begin
    data = in_y ? extended >> 32 * (word % @RESULT_WORDS@) : kept_q >> 32 * word;
    case (adr)
@CONSTANTS@
      @STATUS@: data = status;
      @IRQ_ENABLE@: data = enable;
      @CONTROL@: data = 0;
    endcase
  end
  wire [31:0] part = 32 * ((adr - (in_x ? @X_WINDOW@ : @W_WINDOW@)) / 4);
  wire [@X_WIDTH@-1:0] mask_x = {@X_WIDTH@ + 32{1'b0}} | 32'hffffffff << part, new_x = dat_w << part;
  wire [@W_WIDTH@-1:0] mask_w = {@W_WIDTH@ + 32{1'b0}} | 32'hffffffff << part, new_w = dat_w << part;
  wire [15:0] precision = dat_w[15:0] > @INPUT_BITS@ ? 0 : dat_w[15:0];
