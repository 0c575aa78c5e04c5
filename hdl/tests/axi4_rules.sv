// Rules of AXI4 for a master and what this one promises beyond them, for a proof by k-induction. The slave is free.
module rules (
  input clk, rst,
  input memory_read_valid, memory_write_valid, memory_write_data_valid, memory_write_data_last,
  input [@ADR@-1:0] memory_read_address, memory_write_address,
  input [7:0] memory_read_beats, memory_write_beats,
  input [@DATA@-1:0] memory_write_data_data,
  input [@DATA@/8-1:0] memory_write_data_strobe,
  input memory_read_data_ready, memory_write_done_ready,
  input axi_awready, axi_arready, axi_wready, axi_bid, axi_bvalid, axi_rid, axi_rvalid, axi_rlast,
  input [1:0] axi_bresp, axi_rresp,
  input [@DATA@-1:0] axi_rdata
);
  localparam BYTES = @DATA@ / 8;
  wire memory_read_ready, memory_write_ready, memory_write_data_ready;
  wire memory_read_data_valid, memory_read_data_error, memory_read_data_last;
  wire memory_write_done_valid, memory_write_done_error;
  wire [@DATA@-1:0] memory_read_data_data, axi_wdata;
  wire axi_awvalid, axi_arvalid, axi_wvalid, axi_wlast, axi_bready, axi_rready;
  wire axi_awid, axi_arid, axi_awlock, axi_arlock;
  wire [@ADR@-1:0] axi_awaddr, axi_araddr;
  wire [7:0] axi_awlen, axi_arlen;
  wire [2:0] axi_awsize, axi_arsize, axi_awprot, axi_arprot;
  wire [1:0] axi_awburst, axi_arburst;
  wire [3:0] axi_awcache, axi_arcache, axi_awqos, axi_arqos;
  wire [@DATA@/8-1:0] axi_wstrb;
  wire [1:0] ahead_q;
  @FRONT@ front (@PINS@);

  reg started = 0;
  always @(posedge clk) started <= 1;
  always @* if (!started) assume (rst);
@MEMORY@

  // A3.2.1: what is offered stands until it is taken. A3.1.2: nothing is offered after reset.
  always @(posedge clk) if (started && !$past(rst)) begin
    if ($past(axi_awvalid && !axi_awready)) assert (axi_awvalid && $stable(axi_awaddr) && $stable(axi_awlen));
    if ($past(axi_arvalid && !axi_arready)) assert (axi_arvalid && $stable(axi_araddr) && $stable(axi_arlen));
    if ($past(axi_wvalid && !axi_wready))
      assert (axi_wvalid && $stable(axi_wdata) && $stable(axi_wstrb) && $stable(axi_wlast));
  end
  always @(posedge clk) if (started && $past(rst)) assert (!axi_awvalid && !axi_arvalid && !axi_wvalid);
  // What was taken, and nothing else, is offered, from the next cycle on: valid waits for no ready.
  always @(posedge clk) if (started && !$past(rst)) begin
    assert (axi_arvalid == $past(take_read || axi_arvalid && !axi_arready));
    assert (axi_awvalid == $past(take_write || axi_awvalid && !axi_awready));
    assert (axi_wvalid == $past(take_word || axi_wvalid && !axi_wready));
  end

  // Each request becomes one burst, in order: what was taken last is what is offered.
  reg [@ADR@-1:0] read_address, write_address;
  reg [7:0] read_beats, write_beats;
  reg [@DATA@-1:0] word;
  reg [@DATA@/8-1:0] strobe;
  reg last;
  always @(posedge clk) begin
    if (take_read) {read_address, read_beats} <= {memory_read_address, memory_read_beats};
    if (take_write) {write_address, write_beats} <= {memory_write_address, memory_write_beats};
    if (take_word) {word, strobe, last} <= {memory_write_data_data, memory_write_data_strobe, memory_write_data_last};
  end
  wire [15:0] ar_end = axi_araddr[11:0] + (axi_arlen + 1) * BYTES, aw_end = axi_awaddr[11:0] + (axi_awlen + 1) * BYTES;
  always @* if (started && !rst) begin
    if (axi_arvalid) assert (axi_araddr == read_address && axi_arlen == read_beats);
    if (axi_awvalid) assert (axi_awaddr == write_address && axi_awlen == write_beats);
    if (axi_wvalid) assert (axi_wdata == word && axi_wstrb == strobe && axi_wlast == last);
    // A3.4.1: no burst crosses 4 KiB; all words are whole
    if (axi_arvalid) assert (axi_araddr % BYTES == 0 && ar_end <= 4096);
    if (axi_awvalid) assert (axi_awaddr % BYTES == 0 && aw_end <= 4096);
  end
  always @* begin
    assert (8 << axi_arsize == @DATA@ && 8 << axi_awsize == @DATA@ && axi_arburst == 1 && axi_awburst == 1);
    assert (axi_arcache == 3 && axi_awcache == 3 && !{axi_arid, axi_awid, axi_arlock, axi_awlock});
    assert (!{axi_arprot, axi_awprot, axi_arqos, axi_awqos});
  end

  // Bursts are counted modulo 8, on the engine's side and on the bus. Of those whose number is k, all have the same
  // length, any: the engine keeps to it, and so must the bus. Others are free.
  (* anyconst *) wire [2:0] k;
  (* anyconst *) wire [7:0] beats;
  reg [2:0] given_aw, given_w, sent_aw, sent_w;
  reg [7:0] given_beat, sent_beat;
  wire send_word = axi_wvalid && axi_wready;
  always @(posedge clk) begin
    given_aw <= rst ? 0 : given_aw + take_write;
    given_w <= rst ? 0 : given_w + (take_word && memory_write_data_last);
    given_beat <= rst || take_word && memory_write_data_last ? 0 : given_beat + take_word;
    sent_aw <= rst ? 0 : sent_aw + (axi_awvalid && axi_awready);
    sent_w <= rst ? 0 : sent_w + (send_word && axi_wlast);
    sent_beat <= rst || send_word && axi_wlast ? 0 : sent_beat + send_word;
  end
  always @* begin
    if (memory_write_valid && given_aw == k) assume (memory_write_beats == beats);
    if (memory_write_data_valid && given_w == k) assume (memory_write_data_last == (given_beat == beats));
  end
  wire [2:0] ahead = given_aw - given_w, begun = sent_aw + axi_awvalid - sent_w;
  wire ends = axi_wvalid && axi_wlast;
  wire [2:0] next_w = sent_w + ends;
  wire [7:0] next_beat = ends ? 0 : sent_beat + axi_wvalid;
  always @* if (started && !rst) begin
    assert (sent_aw + axi_awvalid == given_aw);
    assert (next_w == given_w && next_beat == given_beat);
    assert (ahead == ahead_q && ahead <= 3);
    // the burst numbered k has as many words as its address says, and the last one is marked
    if (axi_awvalid && sent_aw == k) assert (axi_awlen == beats);
    if (axi_wvalid && sent_w == k) assert (axi_wlast == (sent_beat == beats));
    // no word before its address is offered
    if (axi_wvalid) assert (begun >= 1 && begun <= 4);
    // nothing waits for nothing: a free register takes what is offered
    if (!axi_arvalid || axi_arready) assert (memory_read_ready);
    if ((!axi_awvalid || axi_awready) && ahead != 3) assert (memory_write_ready);
    if ((!axi_wvalid || axi_wready) && ahead != 0) assert (memory_write_data_ready);
  end

  // Answers pass as they are.
  always @* begin
    assert (memory_read_data_valid == axi_rvalid && axi_rready == memory_read_data_ready);
    assert (memory_read_data_data == axi_rdata && memory_read_data_last == axi_rlast);
    assert (memory_read_data_error == (axi_rresp >= 2) && memory_write_done_error == (axi_bresp >= 2));
    assert (memory_write_done_valid == axi_bvalid && axi_bready == memory_write_done_ready);
  end
endmodule
