/* The class of images by the engine: its descriptors are made with the program, and run as one queue.
   SPDX-License-Identifier: Apache-2.0 */
#include "cimforge_engine.h"
#include "classifier.h"
#include "engine_data.h"
#include "network.h"
#include "system.h"

#define LOOKS 1000000u /* at the status, some ten cycles each */

static cim_device engine;
static cim_queue queue;
static const char *unusable = "engine not begun";

static void copy(const engine_segment *segment)
{
  volatile uint32_t *to = (volatile uint32_t *)segment->address;
  uint32_t place;
  for (place = 0; place < segment->count; place++)
    to[place] = segment->words[place];
}

void classifier_begin(void)
{
  cim_port port;
  uint32_t place;
  for (place = 0; place < NETWORK_SEGMENTS; place++)
    copy(&engine_segments[place]);
  cim_direct(&port, (volatile uint32_t *)ENGINE_BASE);
  if (cim_init(&engine, &port, LOOKS) != CIM_OK)
    unusable = "another engine";
  else if (cim_queue_init(&queue, 0, NETWORK_COMMANDS, NETWORK_QUEUE) != CIM_OK)
    unusable = "queue";
  else
    unusable = 0;
  queue.count = NETWORK_COMMANDS;
}

int8_t *classifier_inputs(uint8_t image)
{
  return (int8_t *)(NETWORK_INPUTS + image * NETWORK_INPUT_PITCH);
}

/* The class of a vector's sums, as greatest() has it of sums in memory. */
static uint8_t greatest_of(const volatile int32_t *sums)
{
  uint16_t place, best = 0;
  int32_t most = INT32_MIN;
  for (place = 0; place < NETWORK_CLASSES; place++, sums += NETWORK_SUM_WORDS) {
    const int32_t sum = *sums + engine_bias[place];
    if (sum > most || place == 0) {
      most = sum;
      best = place;
    }
  }
  return (uint8_t)best;
}

const char *classify_on_engine(uint8_t count, uint8_t *classes)
{
  uint8_t image;
  int code;
  if (unusable)
    return unusable;
  code = cim_run(&engine, &queue, LOOKS);
  if (code != CIM_OK)
    return code == CIM_TIMEOUT ? "engine silent" : "engine failed";
  for (image = 0; image < count; image++)
    classes[image] = greatest_of((const volatile int32_t *)(NETWORK_SUMS + image * NETWORK_SUM_PITCH));
  return 0;
}

void classifier_counters(uint32_t *busy, uint32_t *computing)
{
  cim_counter_values values;
  cim_counters(&engine, &values);
  *busy = values.cycles;
  *computing = values.compute;
}
