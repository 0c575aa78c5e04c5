/* Runs queues that lie in RAM, and tells in RAM what became of each.

   At the beginning of RAM is a table: a line of how many queues there are and how the program went, then a line
   for each queue. Queues, and all that they name, lie in RAM before the core starts. The light is lit when the
   last one has ended, or the first has failed. SPDX-License-Identifier: Apache-2.0 */
#include "board.h"
#include "cimforge_engine.h"
#include "system.h"

#define LOOKS 0xffffffffu /* who simulates bounds the time */

typedef struct {
  uint32_t queues; /* how many lines follow */
  int32_t code;    /* of cim_init, then of the last queue */
  uint32_t ended;  /* queues */
  uint32_t spare[5];
} queue_head;

typedef struct {
  uint32_t address, commands;
  int32_t code;              /* of cim_run */
  uint32_t cycles;           /* from its start to its end, as the core sees it */
  uint32_t busy, computing;  /* cycles that the engine counted, and those in which its array computed */
  uint32_t cause, index;     /* of a failure: why, and which command */
} queue_line;

static int run(cim_device *engine, volatile queue_line *line)
{
  cim_counter_values values;
  cim_failure_info failure;
  cim_queue queue;
  uint32_t begun;
  int code = cim_queue_init(&queue, 0, line->commands, line->address);
  if (code == CIM_OK) {
    queue.count = line->commands;
    begun = board_cycles();
    code = cim_run(engine, &queue, LOOKS);
    line->cycles = board_cycles() - begun;
    cim_counters(engine, &values);
    line->busy = values.cycles;
    line->computing = values.compute;
  }
  if (code == CIM_FAILED) {
    cim_failure(engine, &failure);
    line->cause = failure.cause;
    line->index = failure.index;
  }
  line->code = code;
  return code;
}

int main(void)
{
  volatile queue_head *head = (volatile queue_head *)RAM_BASE;
  volatile queue_line *lines = (volatile queue_line *)(RAM_BASE + sizeof(queue_head));
  cim_device engine;
  cim_port port;
  int code;
  uint32_t place;
  cim_direct(&port, (volatile uint32_t *)ENGINE_BASE);
  code = cim_init(&engine, &port, LOOKS);
  for (place = 0; place < head->queues && code == CIM_OK; place++) {
    code = run(&engine, &lines[place]);
    if (code == CIM_OK)
      head->ended = place + 1;
  }
  head->code = code;
  board_light(1);
  for (;;)
    ;
}
