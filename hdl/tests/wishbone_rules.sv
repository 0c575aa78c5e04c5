// Wishbone B4 rules (standard cycles) and what this slave promises beyond them, for a proof by k-induction. The master is
// free but for rule 3.60 (it holds a request until it is answered); the macro behind is free but for its stream rules.
module rules (
  input clk,
  input rst,
  input cyc, stb, we,
  input [@ADR@-1:0] adr,
  input [3:0] sel,
  input [31:0] dat_w,
@FREE@
);
@WIRES@
  wire [31:0] dat_r;
  wire ack, err, irq, macro_rst;
  @SLAVE@ slave (
    .clk(clk), .rst(rst), .wb_cyc(cyc), .wb_stb(stb), .wb_we(we), .wb_adr(adr), .wb_sel(sel), .wb_dat_w(dat_w),
    .wb_dat_r(dat_r), .wb_ack(ack), .wb_err(err), .irq(irq), .macro_rst(macro_rst),
@PINS@
  );

  reg started = 0;
  always @(posedge clk) started <= 1;
  always @* if (!started) assume (rst);

  wire request = cyc && stb && !ack && !err;
  always @(posedge clk) if (started && !$past(rst) && !rst && $past(request)) begin
    // Rule 3.60: the request stands until it is answered.
    assume (cyc && stb);
    assume ($stable(we) && $stable(adr) && $stable(sel) && $stable(dat_w));
  end

  // Stream rules of the macro: a result stands until it is taken; nothing is valid or ready in reset.
  always @(posedge clk) if (started && !$past(macro_rst)) begin
    if ($past(y_valid && !y_ready)) assume (y_valid && $stable(y_data));
    if ($past(q_valid && !q_ready)) assume (q_valid && $stable(q_data));
  end
  always @* if (macro_rst) assume (!x_ready && !w_ready && !r_ready && !y_valid && !q_valid);

  always @(posedge clk) if (started) begin
    // Rule 3.45: at most one of the terminating signals.
    assert (!(ack && err));
    // Rule 3.35: terminated only in response to cyc and stb.
    if (ack || err) assert (cyc && stb);
    if (!$past(rst)) begin
      // Every request is answered in the next cycle: no access ever hangs, whatever the macro does.
      if ($past(request) && !rst) assert (ack || err);
      // No answer without a request, so none twice.
      if (!$past(request)) assert (!ack && !err);
    end
    // Reset leaves no answer behind.
    if ($past(rst)) assert (!ack && !err);
    // An answer that is an error carries no data and changed nothing.
    if (err) assert (dat_r == 0);
    if (!$past(rst) && $past(request && we) && err) begin
      if (!$past(x_valid)) assert (!x_valid);
      if (!$past(w_valid)) assert (!w_valid);
      if (!$past(r_valid)) assert (!r_valid);
      assert ($stable(x_data) && $stable(w_data));
      assert (!macro_rst || rst);
    end
    // Misaligned and partial accesses are errors.
    if (!$past(rst) && $past(request && (adr[1:0] != 0 || sel != 4'hf)) && !rst) assert (err);
    // Streams: a beat in waiting is stable until the macro takes it.
    if (!$past(macro_rst) && !macro_rst) begin
      if ($past(x_valid && !x_ready))
        assert (x_valid && $stable(x_data) && $stable(x_bits) && $stable(x_signed));
      if ($past(w_valid && !w_ready)) assert (w_valid && $stable(w_data) && $stable(w_row) && $stable(w_signed));
      if ($past(r_valid && !r_ready)) assert (r_valid && $stable(r_row));
    end
    // A macro reset leaves no beat in waiting and no interrupt.
    if ($past(macro_rst)) assert (!x_valid && !w_valid && !r_valid && !irq);
  end
endmodule
