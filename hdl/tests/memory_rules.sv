  // A memory_port, of which the engine is lawful and else free: what it offers stands until it is taken, requests are of
  // whole aligned words within a page of 4 KiB. The bus holds what it answers.
  always @(posedge clk) if (started && !rst && !$past(rst)) begin
    if ($past(memory_read_valid && !memory_read_ready))
      assume (memory_read_valid && $stable(memory_read_address) && $stable(memory_read_beats));
    if ($past(memory_write_valid && !memory_write_ready))
      assume (memory_write_valid && $stable(memory_write_address) && $stable(memory_write_beats));
    if ($past(memory_write_data_valid && !memory_write_data_ready)) begin
      assume (memory_write_data_valid && $stable(memory_write_data_data));
      assume ($stable(memory_write_data_strobe) && $stable(memory_write_data_last));
    end
  end
  wire [15:0] read_end = memory_read_address[11:0] + (memory_read_beats + 1) * BYTES;
  wire [15:0] write_end = memory_write_address[11:0] + (memory_write_beats + 1) * BYTES;
  always @* begin
    if (memory_read_valid) assume (memory_read_address % BYTES == 0 && read_end <= 4096);
    if (memory_write_valid) assume (memory_write_address % BYTES == 0 && write_end <= 4096);
  end
  wire take_read = memory_read_valid && memory_read_ready, take_write = memory_write_valid && memory_write_ready;
  wire take_word = memory_write_data_valid && memory_write_data_ready;
