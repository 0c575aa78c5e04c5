// Rules of Wishbone B4 (standard cycles) and what this front end of registers promises beyond them, for a proof by
// k-induction. The master is free but for rule 3.60 (it holds a request until it is answered).
module rules (
  input clk, rst,
  input wb_cyc, wb_stb, wb_we,
  input [@ADR@-1:0] wb_adr,
  input [31:0] wb_dat_w,
  input [3:0] wb_sel,
  input registers_ready, registers_error,
  input [31:0] registers_data_r
);
  localparam N = @N@, P = @P@;
  wire wb_ack, wb_err, registers_valid, registers_write;
  wire [31:0] wb_dat_r, registers_data_w;
  wire [@ADR@-1:0] registers_address;
  wire [3:0] registers_strobe;
  wire [@WAITED@-1:0] waited_q;
  wire [@WAITED@-1:0] waited = @HAS_WAITED@ ? waited_q : 0;
  wire ack_q, err_q;
  @FRONT@ front (@PINS@);

  reg started = 0;
  always @(posedge clk) started <= 1;
  always @* if (!started) assume (rst);

  wire request = wb_cyc && wb_stb && !wb_ack && !wb_err;
  always @(posedge clk) if (started && !$past(rst) && !rst && $past(request)) begin
    assume (wb_cyc && wb_stb);
    assume ($stable(wb_we) && $stable(wb_adr) && $stable(wb_sel) && $stable(wb_dat_w));
  end

  wire bad = wb_adr[1:0] != 0 || wb_we && wb_sel != 4'hf;
  wire under_way = request;
@REGISTERS@
  always @* if (started && registers_valid) begin
    assert (registers_write == wb_we && registers_address == wb_adr && registers_data_w == wb_dat_w);
  end
  always @* if (started) begin
    assert (!(wb_ack && wb_err));                        // rule 3.45
    if (wb_ack || wb_err) assert (wb_cyc && wb_stb);     // rule 3.35
  end
  always @(posedge clk) if (started && !$past(rst)) begin
    // answered exactly in the cycle after the access ends: one answer each, none without a request
    if (!rst) assert ((wb_ack || wb_err) == $past(ends));
    assert ((ack_q || err_q) == $past(ends));
    if (wb_ack || wb_err) assert (wb_err == last_error);
    if ((wb_ack || wb_err) && !wb_we) assert (wb_dat_r == last_data);
    if ($past(under_way && bad) && !rst) assert (wb_err);
    if ($past(run) == P + N - 1 && $past(under_way) && !rst) assert (wb_ack || wb_err);
  end
  always @(posedge clk) if (started && $past(rst)) assert (!wb_ack && !wb_err);
endmodule
