  // A register_port. Who asks holds an access until it is answered, and asks only for whole aligned words; the side
  // behind is free but for answering within N cycles of each access.
  reg [3:0] attempt;  // cycles in which this access went unanswered
  always @(posedge clk) attempt <= rst || !registers_valid || registers_ready ? 0 : attempt + 1;
  always @* if (registers_valid && attempt == N - 1) assume (registers_ready);
  always @* if (started && !rst) assert (attempt < N);
  always @* if (started && registers_valid) assert (registers_address[1:0] == 0 && registers_strobe == 4'hf);
  always @(posedge clk) if (started && !rst && !$past(rst) && $past(registers_valid && !registers_ready)) begin
    assert (registers_valid && $stable(registers_write) && $stable(registers_address));
    if (registers_write) assert ($stable(registers_data_w));
  end

  // An access of the bus asks for a register until it is refused, taken, or P cycles have passed.
  reg [7:0] run;      // cycles of it before this one
  always @(posedge clk) run <= rst || !under_way || ends ? 0 : run + 1;
  wire ends = under_way && (bad || registers_ready && (!registers_error || run >= P));
  reg last_error;     // how it ended
  reg [31:0] last_data;
  always @(posedge clk) if (ends) begin
    last_error <= bad || registers_error;
    last_data <= bad || registers_error ? 0 : registers_data_r;
  end
  always @* if (started) begin
    assert (registers_valid == (under_way && !bad));
    if (under_way && !rst) assert (run <= P + attempt && run < P + N);
    if (!under_way && !rst) assert (run == 0);
    if (under_way && !rst) assert (waited == (run < P ? run : P));
    if (!under_way && !rst) assert (waited == 0);
  end
