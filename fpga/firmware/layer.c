/* Computes a layer on the engine, its numbers made here, and tells how long that took.

   "ready NAME" is said after reset. Each byte that comes runs the layer once more: weights and vectors are
   made, the queue runs, and the answer is a line "layer" with the cycles from the start of the queue to its
   end, as the core sees it, those that the engine counted, those in which its array computed, and a digest of
   the results; or one line that begins with "error".
   SPDX-License-Identifier: Apache-2.0 */
#include "cimforge_engine.h"
#include "engine_data.h"
#include "system.h"
#include "uart.h"

#define LOOKS 100000000u

/* Fills ``count`` words with xorshift32 (Marsaglia 2003) behind ``word``; the last of them. */
static uint32_t fill(uint32_t address, uint32_t count, uint32_t word)
{
  volatile uint32_t *to = (volatile uint32_t *)address;
  for (; count; count--) {
    word ^= word << 13;
    word ^= word >> 17;
    word ^= word << 5;
    *to++ = word;
  }
  return word;
}

static uint32_t digest(uint32_t address, uint32_t count)
{
  const volatile uint32_t *from = (const volatile uint32_t *)address;
  uint32_t total = 0;
  for (; count; count--)
    total = ((total << 5) | (total >> 27)) + *from++;
  return total;
}

static void copy(const engine_segment *segment)
{
  volatile uint32_t *to = (volatile uint32_t *)segment->address;
  uint32_t place;
  for (place = 0; place < segment->count; place++)
    to[place] = segment->words[place];
}

static void make(void)
{
  uint32_t place, word = fill(LAYER_WEIGHTS, LAYER_WEIGHTS_WORDS, LAYER_FIRST);
  (void)fill(LAYER_VECTORS, LAYER_VECTORS_WORDS, word);
  for (place = 0; place < NETWORK_SEGMENTS; place++)
    copy(&engine_segments[place]);
}

static void serve(cim_device *engine)
{
  cim_counter_values values;
  cim_queue queue;
  uint32_t begun, cycles;
  int code;
  make();
  if (cim_queue_init(&queue, 0, NETWORK_COMMANDS, NETWORK_QUEUE) != CIM_OK) {
    uart_text("error queue\n");
    return;
  }
  queue.count = NETWORK_COMMANDS;
  begun = IO_CYCLES;
  code = cim_run(engine, &queue, LOOKS);
  cycles = IO_CYCLES - begun;
  if (code != CIM_OK) {
    uart_text(code == CIM_TIMEOUT ? "error engine silent\n" : "error engine failed\n");
    return;
  }
  cim_counters(engine, &values);
  uart_text("layer ");
  uart_number(cycles);
  uart_put(' ');
  uart_number(values.cycles);
  uart_put(' ');
  uart_number(values.compute);
  uart_put(' ');
  uart_number(digest(LAYER_RESULTS, LAYER_RESULTS_WORDS));
  uart_text("\n");
}

int main(void)
{
  cim_device engine;
  cim_port port;
  int code;
  cim_direct(&port, (volatile uint32_t *)ENGINE_BASE);
  code = cim_init(&engine, &port, LOOKS);
  uart_text("ready " SYSTEM_NAME "\n");
  for (;;) {
    (void)uart_get();
    if (code == CIM_OK)
      serve(&engine);
    else
      uart_text("error another engine\n");
  }
}
