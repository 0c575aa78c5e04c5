// Rules of Wishbone B4 for a master of registered feedback cycles and what this one promises beyond them, for a proof by
// k-induction. The slave is free, but does not answer twice at once (rule 3.45); it may answer where nothing is asked.
module rules (
  input clk, rst,
  input memory_read_valid, memory_write_valid, memory_write_data_valid, memory_write_data_last,
  input [@ADR@-1:0] memory_read_address, memory_write_address,
  input [7:0] memory_read_beats, memory_write_beats,
  input [@DATA@-1:0] memory_write_data_data,
  input [@DATA@/8-1:0] memory_write_data_strobe,
  input memory_read_data_ready, memory_write_done_ready,
  input wb_ack, wb_err,
  input [@DATA@-1:0] wb_dat_r
);
  localparam BYTES = @DATA@ / 8;
  wire memory_read_ready, memory_write_ready, memory_write_data_ready;
  wire memory_read_data_valid, memory_read_data_error, memory_read_data_last;
  wire memory_write_done_valid, memory_write_done_error;
  wire [@DATA@-1:0] memory_read_data_data, wb_dat_w;
  wire wb_cyc, wb_stb, wb_we;
  wire [@ADR@-1:0] wb_adr;
  wire [@DATA@/8-1:0] wb_sel;
  wire [2:0] wb_cti;
  wire [1:0] wb_bte;
  wire failed_q;
  wire [7:0] left_q;
  wire words_spare_full_q;
  wire [@DATA@+1:0] words_spare_q;
  @FRONT@ front (@PINS@);

  reg started = 0;
  always @(posedge clk) started <= 1;
  always @* if (!started) assume (rst);
  always @* assume (!(wb_ack && wb_err));
@MEMORY@

  wire answered = wb_stb && (wb_ack || wb_err);
  always @* if (started && wb_stb) assert (wb_cyc);                             // rule 3.25
  always @(posedge clk) if (started && !rst && !$past(rst) && $past(wb_stb && !answered)) begin
    assert (wb_stb && $stable(wb_we) && $stable(wb_adr) && $stable(wb_sel) && $stable(wb_cti));  // rule 3.60
    if (wb_we) assert ($stable(wb_dat_w));
  end

  // The burst under way, from the request that was taken.
  reg active, writing;
  reg [@ADR@-1:0] address;
  reg [7:0] left;
  wire ends = answered && left == 0;
  always @(posedge clk) begin
    if (take_read || take_write) begin
      active <= 1;
      writing <= take_write;
      address <= take_write ? memory_write_address : memory_read_address;
      left <= take_write ? memory_write_beats : memory_read_beats;
    end else if (ends) active <= 0;
    if (answered && !ends) begin
      address <= address + BYTES;
      left <= left - 1;
    end
    if (rst) {active, writing} <= 0;
  end
  wire [15:0] end_of_burst = address[11:0] + (left + 1) * BYTES;
  always @* if (started && !rst) begin
    assert (wb_cyc == active);       // from the request to the last answer, and low between two bursts
    assert (!(take_read && take_write) && !(active && (take_read || take_write)));
    assert (wb_we == writing && wb_bte == 0);
    if (active) begin
      assert (wb_adr == address && wb_cti == (left == 0 ? 7 : 2) && left_q == left);
      assert (address % BYTES == 0 && end_of_burst <= 4096);
      if (writing) assert (wb_stb == memory_write_data_valid && wb_sel == memory_write_data_strobe);
      if (writing) assert (wb_dat_w == memory_write_data_data);
      if (!writing) assert (&wb_sel);
    end
    assert (memory_write_data_ready == (answered && writing));
  end

  // Words read: two registers' worth, in order, each with its error and the last one marked.
  reg [1:0] held;
  reg [@DATA@+1:0] first, second;
  wire push = answered && !writing, pop = memory_read_data_valid && memory_read_data_ready;
  wire [@DATA@+1:0] read = {left == 0, wb_err, wb_dat_r};
  always @(posedge clk) begin
    held <= rst ? 0 : held + push - pop;
    if (pop || held == 0) first <= held == 2 ? second : read;
    if (held == 1 && !pop || held == 2 && pop) second <= read;
  end
  always @* if (started && !rst) begin
    assert (held <= 2 && held == memory_read_data_valid + words_spare_full_q);
    if (words_spare_full_q) assert (memory_read_data_valid && words_spare_q == second);
    if (memory_read_data_valid) assert ({memory_read_data_last, memory_read_data_error, memory_read_data_data} == first);
    if (held == 2) assert (!push);
    if (active && !writing && held < 2) assert (wb_stb);   // nothing waits for nothing
  end

  // Ends of writes: one each, that tells of any error; it stands until it is taken.
  reg owed, any;
  wire take_done = memory_write_done_valid && memory_write_done_ready;
  always @(posedge clk) begin
    owed <= !rst && (ends && writing || owed && !take_done);
    any <= !rst && !(take_write || !active) && (any || answered && writing && wb_err);
  end
  always @* if (started && !rst) begin
    assert (memory_write_done_valid == owed);
    if (active && writing) assert (!owed && failed_q == any);
    else assert (!failed_q);
  end
  always @(posedge clk) if (started && !rst && !$past(rst)) begin
    if ($past(ends && writing)) assert (memory_write_done_error == $past(any || wb_err));
    if ($past(memory_write_done_valid && !memory_write_done_ready)) assert ($stable(memory_write_done_error));
  end

  // Turns: of two that can go, the kind that did not go last; one that can, at once.
  wire can_write = memory_write_valid && (!owed || take_done);
  always @* if (started && !rst && !active) begin
    if (memory_read_valid && can_write) assert (take_write == !writing && take_read == writing);
    else assert (take_write == can_write && take_read == memory_read_valid);
  end
  always @(posedge clk) if (started && $past(rst)) assert (!wb_cyc && !memory_read_data_valid && !memory_write_done_valid);
endmodule
