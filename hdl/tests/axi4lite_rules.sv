// Rules of AXI4-Lite and what this front end promises beyond them, for a proof by k-induction. The master is free but for
// holding what it offers until it is taken (AMBA AXI, A3.2.1); so is the register side but for its own rules.
module rules (
  input clk, rst,
  input [@ADR@-1:0] axil_awaddr, axil_araddr,
  input [2:0] axil_awprot, axil_arprot,
  input axil_awvalid, axil_wvalid, axil_bready, axil_arvalid, axil_rready,
  input [31:0] axil_wdata,
  input [3:0] axil_wstrb,
  input registers_ready, registers_error,
  input [31:0] registers_data_r
);
  localparam N = @N@, P = @P@, LONGEST = @LONGEST@;
  wire axil_awready, axil_wready, axil_bvalid, axil_arready, axil_rvalid, registers_valid, registers_write;
  wire [1:0] axil_bresp, axil_rresp;
  wire [31:0] axil_rdata, registers_data_w;
  wire [@ADR@-1:0] registers_address;
  wire [3:0] registers_strobe;
  wire [@WAITED@-1:0] waited_q;
  wire [@WAITED@-1:0] waited = @HAS_WAITED@ ? waited_q : 0;
  wire aw_full_q, w_full_q, ar_full_q, reading_q, wrote_q;
  wire [@ADR@-1:0] awaddr_q, araddr_q;
  wire [3:0] wstrb_q;
  @FRONT@ front (@PINS@);

  reg started = 0;
  always @(posedge clk) started <= 1;
  always @* if (!started) assume (rst);

  always @(posedge clk) if (started && !$past(rst) && !rst) begin
    if ($past(axil_awvalid && !axil_awready)) assume (axil_awvalid && $stable(axil_awaddr));
    if ($past(axil_wvalid && !axil_wready)) assume (axil_wvalid && $stable(axil_wdata) && $stable(axil_wstrb));
    if ($past(axil_arvalid && !axil_arready)) assume (axil_arvalid && $stable(axil_araddr));
  end

  // What was accepted last on each channel, and how many answers are owed.
  reg [@ADR@-1:0] aw, ar;
  reg [31:0] w;
  reg [3:0] strobe;
  reg [2:0] owed_aw, owed_w, owed_ar;
  wire take_b = axil_bvalid && axil_bready, take_r = axil_rvalid && axil_rready;
  always @(posedge clk) begin
    if (axil_awvalid && axil_awready) aw <= axil_awaddr;
    if (axil_arvalid && axil_arready) ar <= axil_araddr;
    if (axil_wvalid && axil_wready) {w, strobe} <= {axil_wdata, axil_wstrb};
    owed_aw <= rst ? 0 : owed_aw + (axil_awvalid && axil_awready) - take_b;
    owed_w <= rst ? 0 : owed_w + (axil_wvalid && axil_wready) - take_b;
    owed_ar <= rst ? 0 : owed_ar + (axil_arvalid && axil_arready) - take_r;
  end

  wire writing = registers_write;
  wire under_way = writing || reading_q;
  wire bad = writing ? aw[1:0] != 0 || strobe != 4'hf : ar[1:0] != 0;
@REGISTERS@
  always @* if (started && !rst) begin
    // a response only for a request, one each: every request is either kept inside or answered
    assert (owed_aw == aw_full_q + axil_bvalid && owed_w == w_full_q + axil_bvalid);
    assert (owed_ar == ar_full_q + axil_rvalid);
    assert (!(writing && reading_q));
    if (writing) assert (aw_full_q && w_full_q && !axil_bvalid);
    if (reading_q) assert (ar_full_q && !axil_rvalid);
    if (aw_full_q) assert (awaddr_q == aw);
    if (ar_full_q) assert (araddr_q == ar);
    if (w_full_q) assert (wstrb_q == strobe && registers_data_w == w);
    if (registers_valid) assert (registers_address == (writing ? aw : ar));
  end

  // Cycles that a write, or a read, waits while its kind of response is free.
  reg [7:0] age_w, age_r;
  wire waits_w = aw_full_q && w_full_q && !axil_bvalid, waits_r = ar_full_q && !axil_rvalid;
  always @(posedge clk) age_w <= rst || !waits_w || ends && writing ? 0 : age_w + 1;
  always @(posedge clk) age_r <= rst || !waits_r || ends && reading_q ? 0 : age_r + 1;
  always @* if (started && !rst) begin
    assert (age_w < LONGEST && age_r < LONGEST);
    if (!waits_w) assert (age_w == 0);
    if (!waits_r) assert (age_r == 0);
    if (!under_way && age_w) assert (!wrote_q && age_w <= N + P + 1);
    if (!under_way && age_r) assert (wrote_q && age_r <= N + P + 1);
    if (reading_q) assert (age_w <= run + 1 && age_r <= run + N + P + 2);
    if (writing) assert (age_r <= run + 1 && age_w <= run + N + P + 2);
  end

  always @(posedge clk) if (started && !$past(rst) && !rst) begin
    // a response comes in the cycle after its access ends, and stands until it is taken
    assert (axil_bvalid == $past(ends && writing || axil_bvalid && !axil_bready));
    assert (axil_rvalid == $past(ends && reading_q || axil_rvalid && !axil_rready));
    if ($past(axil_bvalid && !axil_bready)) assert ($stable(axil_bresp));
    if ($past(axil_rvalid && !axil_rready)) assert ($stable(axil_rresp) && $stable(axil_rdata));
    if ($past(ends && writing)) assert (axil_bresp == {last_error, 1'b0});
    if ($past(ends && reading_q)) assert (axil_rresp == {last_error, 1'b0} && axil_rdata == last_data);
  end
  always @(posedge clk) if (started && $past(rst)) assert (!axil_bvalid && !axil_rvalid && !registers_valid);
endmodule
