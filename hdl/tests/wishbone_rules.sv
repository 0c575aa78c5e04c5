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
  wire ack, err, irq, busy, macro_rst;
  wire full_y, full_q;
  wire [@Y_WIDTH@-1:0] kept_y;
  wire [@Q_WIDTH@-1:0] kept_q;
  wire [4:0] enable;
  wire [5:0] tag_x, tag_r, tag_y, tag_q;
  @SLAVE@ slave (
    .clk(clk), .rst(rst), .wb_cyc(cyc), .wb_stb(stb), .wb_we(we), .wb_adr(adr), .wb_sel(sel), .wb_dat_w(dat_w),
    .wb_dat_r(dat_r), .wb_ack(ack), .wb_err(err), .irq(irq), .busy(busy), .macro_rst(macro_rst),
    // registers inside, made visible for the proof
    .y_full_q(full_y), .q_full_q(full_q), .y_kept_q(kept_y), .q_kept_q(kept_q), .enable_q(enable),
    .x_tag_q(tag_x), .r_tag_q(tag_r), .y_tag_q(tag_y), .q_tag_q(tag_q),
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
  always @(posedge clk) if (started && !$past(macro_rst) && !macro_rst) begin
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
        assert (x_valid && $stable(x_data) && $stable(x_bits) && $stable(x_signed) && $stable(x_bank));
      if ($past(w_valid && !w_ready))
        assert (w_valid && $stable(w_data) && $stable(w_row) && $stable(w_bank) && $stable(w_signed));
      if ($past(r_valid && !r_ready)) assert (r_valid && $stable(r_row) && $stable(r_bank));
    end
    // A macro reset leaves no beat in waiting, no result, no row, no tag, no interrupt, no work.
    if ($past(macro_rst)) begin
      assert (!x_valid && !w_valid && !r_valid && !irq && !busy);
      assert (!full_y && !full_q && !tag_x && !tag_r && !tag_y && !tag_q);
    end
  end

@ACCESS@

  always @* begin
    assert (irq == |(states & enable));
    assert (busy == (w_valid || tag_x != tag_y || tag_r != tag_q));
    assert (y_ready == !full_y && q_ready == !full_q);
  end

  wire [5:0] next_x = tag_x + good_x, next_r = tag_r + good_r, next_y = tag_y + come_y, next_q = tag_q + come_q;
  always @(posedge clk) if (started && !$past(rst) && !rst) begin
    // Every request ends as it must, and a read carries what it must.
    if ($past(request)) assert (ack == $past(good_read || good_write));
    if ($past(good_read)) assert (dat_r == $past(data));
    assert (macro_rst == $past(write && adr == @CONTROL@ && dat_w[0]));
    // The windows change word by word, and only where they are written.
    assert (x_data == $past(fill_x ? x_data & ~mask_x | new_x : x_data));
    assert (w_data == $past(fill_w ? w_data & ~mask_w | new_w : w_data));
    if (!$past(macro_rst)) begin
      // Commands: the beat that waits is the word's.
      if ($past(good_x)) assert (x_bits == $past(precision) && x_signed == $past(dat_w[31]));
      if ($past(good_x)) assert (x_bank == $past(dat_w[23:16]));
      if ($past(good_w)) assert (w_row == $past(dat_w[15:0]) && w_signed == $past(dat_w[31]));
      if ($past(good_w)) assert (w_bank == $past(dat_w[23:16]));
      if ($past(good_r)) assert (r_row == $past(dat_w[15:0]) && r_bank == $past(dat_w[23:16]));
      assert (x_valid == $past(good_x || x_valid && !x_ready));
      assert (w_valid == $past(good_w || w_valid && !w_ready));
      assert (r_valid == $past(good_r || r_valid && !r_ready));
      // Results: the register takes one exactly when it is empty and one comes, until it is released.
      assert (full_y == $past(come_y || full_y && !free_y));
      assert (full_q == $past(come_q || full_q && !free_q));
      assert (kept_y == $past(come_y ? y_data : kept_y));
      assert (kept_q == $past(come_q ? q_data : kept_q));
      assert (tag_x == $past(next_x) && tag_r == $past(next_r) && tag_y == $past(next_y) && tag_q == $past(next_q));
      assert (enable == $past(write && adr == @IRQ_ENABLE@ ? dat_w[4:0] : enable));
    end
  end
endmodule
