// Rules of APB4 and what this front end promises beyond them, for a proof by k-induction. The master is lawful (AMBA APB,
// chapter 3: setup, then access until ready, all of it stable) and else free; so is the register side.
module rules (
  input clk, rst,
  input apb_psel, apb_penable, apb_pwrite,
  input [@ADR@-1:0] apb_paddr,
  input [31:0] apb_pwdata,
  input [3:0] apb_pstrb,
  input [2:0] apb_pprot,
  input registers_ready, registers_error,
  input [31:0] registers_data_r
);
  localparam N = @N@, P = @P@;
  wire apb_pready, apb_pslverr, registers_valid, registers_write;
  wire [31:0] apb_prdata, registers_data_w;
  wire [@ADR@-1:0] registers_address;
  wire [3:0] registers_strobe;
  wire [@WAITED@-1:0] waited_q;
  wire [@WAITED@-1:0] waited = @HAS_WAITED@ ? waited_q : 0;
  @FRONT@ front (@PINS@);

  reg started = 0;
  always @(posedge clk) started <= 1;
  always @* if (!started) assume (rst);

  wire access = apb_psel && apb_penable;
  always @(posedge clk) if (started) begin
    if ($past(rst) || !$past(apb_psel)) assume (!apb_penable);                  // idle, then idle or setup
    else if ($past(access && apb_pready)) assume (!apb_penable);                // ended, then idle or setup
    else begin                                                                  // setup or waiting, then access
      assume (access);
      assume ($stable(apb_pwrite) && $stable(apb_paddr) && $stable(apb_pwdata) && $stable(apb_pstrb));
    end
  end

  wire bad = apb_paddr[1:0] != 0 || apb_pwrite && apb_pstrb != 4'hf;
  wire under_way = access && !apb_pready;
@REGISTERS@
  always @* if (started && registers_valid) begin
    assert (registers_write == apb_pwrite && registers_address == apb_paddr);
    assert (registers_data_w == apb_pwdata);
  end
  always @(posedge clk) if (started && !$past(rst)) begin
    // ready exactly in the cycle after the access ends: one answer each, none without a transfer
    assert (apb_pready == $past(ends));
    if (apb_pready && !rst) assert (access);
    assert (!apb_pslverr || apb_pready);
    if (apb_pready) assert (apb_pslverr == last_error);
    if (apb_pready && !apb_pwrite) assert (apb_prdata == last_data);
    // what is refused is refused at once; no transfer takes longer than this, whatever it asks for
    if ($past(!rst && under_way && bad)) assert (apb_pready && apb_pslverr);
    if ($past(run) == P + N - 1 && $past(under_way)) assert (apb_pready);
  end
  always @(posedge clk) if (started && $past(rst)) assert (!apb_pready && !apb_pslverr);
endmodule
