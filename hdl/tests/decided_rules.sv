// What the slave that decides in a cycle of its own promises, for a proof by k-induction. The master is free: it may take
// back or change what it asks at any time. The macro behind is free but for its stream rules.
module rules (
  input clk,
  input rst,
  input cyc, stb, bus_we,
  input [@ADR@-1:0] bus_adr,
  input [3:0] bus_sel,
  input [31:0] bus_dat_w,
@FREE@
);
@WIRES@
  wire [31:0] dat_r;
  wire ack, err, irq, busy, macro_rst;
  wire full_y, full_q, first, second, third;
  wire [4:0] enable;
  wire [5:0] tag_x, tag_r, tag_y, tag_q;
  @SLAVE@ slave (
    .clk(clk), .rst(rst), .wb_cyc(cyc), .wb_stb(stb), .wb_we(bus_we), .wb_adr(bus_adr), .wb_sel(bus_sel),
    .wb_dat_w(bus_dat_w), .wb_dat_r(dat_r), .wb_ack(ack), .wb_err(err), .irq(irq), .busy(busy), .macro_rst(macro_rst),
    // registers inside, made visible for the proof
    .y_full_q(full_y), .q_full_q(full_q), .enable_q(enable),
    .x_tag_q(tag_x), .r_tag_q(tag_r), .y_tag_q(tag_y), .q_tag_q(tag_q),
    .seen_q(first), .asked_q(second), .answered_q(third),
@PINS@
  );

  reg started = 0;
  always @(posedge clk) started <= 1;
  always @* if (!started) assume (rst);

  // Stream rules of the macro: a result stands until it is taken; nothing is valid or ready in reset.
  always @(posedge clk) if (started && !$past(macro_rst) && !macro_rst) begin
    if ($past(y_valid && !y_ready)) assume (y_valid && $stable(y_data));
    if ($past(q_valid && !q_ready)) assume (q_valid && $stable(q_data));
  end
  always @* if (macro_rst) assume (!x_ready && !w_ready && !r_ready && !y_valid && !q_valid);

  // An access: as it is asked for while none is under way; the cycles behind its first, as long as it is upheld.
  reg request = 0, upheld = 0, answer = 0;
  reg we;
  reg [@ADR@-1:0] adr;
  reg [3:0] sel;
  reg [31:0] dat_w;
  wire offered = cyc && stb;
  wire begins = offered && !request && !upheld && !answer;
  always @(posedge clk) begin
    request <= begins && !rst;
    upheld <= request && offered && !rst;
    answer <= upheld && offered && !rst;
    if (begins) {we, adr, sel, dat_w} <= {bus_we, bus_adr, bus_sel, bus_dat_w};
  end
  always @* if (started) assert (first == request && second == upheld && third == answer);

  // The windows show what the macro holds.
  wire [@Y_WIDTH@-1:0] kept_y = y_data;
  wire [@Q_WIDTH@-1:0] kept_q = q_data;
@ACCESS@

  // What is right in the second cycle is decided in the third, and done in the fourth if it is still asked for then.
  wire [9:0] right = {good_x, good_w, good_r, fill_x, fill_w, free_y, free_q, state && adr == @CONTROL@,
    state && adr == @IRQ_ENABLE@, good_read};
  reg [9:0] decided, does = 0;
  reg [31:0] shown;
  always @(posedge clk) begin
    decided <= right;
    does <= upheld && offered && !rst ? decided : 0;
    shown <= data;
  end
  wire do_x = does[9], do_w = does[8], do_r = does[7], put_x = does[6], put_w = does[5];
  wire next_y = does[4], next_q = does[3], resets = does[2], enables = does[1], reads = does[0];

  always @* if (started) begin
    // An access that is upheld to its decision is answered in the fourth cycle, rightly; no other is, ever.
    assert (ack == (offered && answer && |does));
    assert (err == (offered && answer && !does));
    // A read carries what it must; an error, and whatever is no read's answer, 0.
    if (reads) assert (dat_r == shown);
    if (answer && !reads) assert (dat_r == 0);
    assert (y_ready == next_y && q_ready == next_q);
    assert (irq == |(states & enable));
    assert (busy == (w_valid || tag_x != tag_y || tag_r != tag_q));
  end

  always @(posedge clk) if (started) begin
    // Nothing is shown but where the fourth cycle of an access is or, had it been upheld, would be.
    if ($past(started, 2) && !$past(request, 2)) assert (dat_r == 0);
    assert (macro_rst == $past(rst || resets && dat_w[0]));
    // What a window shows stands in the macro.
    if (full_y && !macro_rst) assert (y_valid);
    if (full_q && !macro_rst) assert (q_valid);
    // The windows change word by word, and only where they are written, once there was a reset.
    if ($past(started)) assert (x_data == $past(put_x ? x_data & ~mask_x | new_x : x_data));
    if ($past(started)) assert (w_data == $past(put_w ? w_data & ~mask_w | new_w : w_data));
    if ($past(rst || macro_rst)) begin
      // A reset leaves no beat in waiting, no result, no row, no tag, no interrupt, no work.
      assert (!x_valid && !w_valid && !r_valid && !irq && !busy && !enable);
      assert (!full_y && !full_q && !tag_x && !tag_r && !tag_y && !tag_q);
    end else begin
      // Streams: a beat in waiting is stable until the macro takes it.
      if ($past(x_valid && !x_ready))
        assert (x_valid && $stable(x_data) && $stable(x_bits) && $stable(x_signed) && $stable(x_bank));
      if ($past(w_valid && !w_ready)) begin
        assert (w_valid && $stable(w_data) && $stable(w_row) && $stable(w_bank) && $stable(w_signed));
        assert ($stable(w_fill));
      end
      if ($past(r_valid && !r_ready)) assert (r_valid && $stable(r_row) && $stable(r_bank));
      // Commands: the beat that waits is the word's.
      if ($past(do_x)) assert (x_bits == $past(precision) && x_signed == $past(dat_w[31]));
      if ($past(do_x)) assert (x_bank == $past(dat_w[23:16]));
      if ($past(do_w)) assert (w_row == $past(dat_w[15:0]) && w_signed == $past(dat_w[31]));
      if ($past(do_w)) assert (w_bank == $past(dat_w[23:16]) && w_fill == $past(@FILLS@ && dat_w[30]));
      if ($past(do_r)) assert (r_row == $past(dat_w[15:0]) && r_bank == $past(dat_w[23:16]));
      assert (x_valid == $past(do_x || x_valid && !x_ready));
      assert (w_valid == $past(do_w || w_valid && !w_ready));
      assert (r_valid == $past(do_r || r_valid && !r_ready));
      // Results: one is shown exactly from its arrival to its release.
      assert (full_y == $past(come_y || full_y && !next_y));
      assert (full_q == $past(come_q || full_q && !next_q));
      assert (tag_x == $past(tag_x + do_x) && tag_r == $past(tag_r + do_r));
      assert (tag_y == $past(tag_y + come_y) && tag_q == $past(tag_q + come_q));
      assert (enable == $past(enables ? dat_w[4:0] : enable));
    end
  end
endmodule
