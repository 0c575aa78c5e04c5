// A stream's rules and what a front end of AXI4-Stream promises beyond them, for a proof by k-induction: beats leave as
// they came, in order, none lost, none doubled. Who gives holds what it offers until it is taken; who takes is free.
module rules (
  input clk, rst,
  input @GIVEN_VALID@, @TAKEN_READY@,
  input [@DATA@-1:0] @GIVEN_DATA@,
  input [@DATA@/8-1:0] @GIVEN_STROBE@,
  input @GIVEN_LAST@
);
  wire @GIVEN_READY@, @TAKEN_VALID@, @TAKEN_LAST@;
  wire [@DATA@-1:0] @TAKEN_DATA@;
  wire [@DATA@/8-1:0] @TAKEN_STROBE@;
  wire buffer_spare_full_q;
  wire [@DATA@+@DATA@/8:0] buffer_spare_q;
  @FRONT@ front (@PINS@);

  reg started = 0;
  always @(posedge clk) started <= 1;
  always @* if (!started) assume (rst);

  wire [@DATA@+@DATA@/8:0] given = {@GIVEN_LAST@, @GIVEN_STROBE@, @GIVEN_DATA@};
  wire [@DATA@+@DATA@/8:0] taken = {@TAKEN_LAST@, @TAKEN_STROBE@, @TAKEN_DATA@};
  reg [1:0] held;
  reg [@DATA@+@DATA@/8:0] first, second;
  wire push = @GIVEN_VALID@ && @GIVEN_READY@, pop = @TAKEN_VALID@ && @TAKEN_READY@;
  always @(posedge clk) begin
    held <= rst ? 0 : held + push - pop;
    if (pop || held == 0) first <= held == 2 ? second : given;
    if (held == 1 && !pop || held == 2 && pop) second <= given;
  end
  always @(posedge clk) if (started && !rst && !$past(rst)) begin
    if ($past(@GIVEN_VALID@ && !@GIVEN_READY@)) assume (@GIVEN_VALID@ && $stable(given));
    if ($past(@TAKEN_VALID@ && !@TAKEN_READY@)) assert (@TAKEN_VALID@ && $stable(taken));
  end
  always @* if (started && !rst) begin
    assert (held <= 2 && held == @TAKEN_VALID@ + buffer_spare_full_q);
    assert (@GIVEN_READY@ == (held < 2) && @TAKEN_VALID@ == (held > 0));
    if (@TAKEN_VALID@) assert (taken == first);
    if (buffer_spare_full_q) assert (buffer_spare_q == second);
  end
  always @(posedge clk) if (started && $past(rst)) assert (!@TAKEN_VALID@ && @GIVEN_READY@);
endmodule
