/* Classifies images that come on the UART: on the core alone, or on the engine.

   "ready NAME" is said after reset. A command is a letter, a count n of 1..NETWORK_BATCH, and n images of
   NETWORK_PIXELS bytes, values of pixels. The core alone does it for the letter c, the engine for e. The answer
   is a line "classes" with n numbers, a line "cycles" with those from the last byte of the images to the last
   class, a line "engine" with those that its queue took and those in which its array computed in it (0 of the
   core alone), and "ok"; or one line that begins with "error".
   SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "board.h"
#include "classifier.h"
#include "network.h"
#include "system.h"
#include "uart.h"

static uint8_t classes[NETWORK_BATCH];

/* Takes images, each pixel as the input that it becomes; 0 where one is no pixel. */
static int take_images(uint8_t count)
{
  uint8_t image, wrong = 0;
  for (image = 0; image < count; image++) {
    int8_t *next = classifier_inputs(image);
    int8_t *const end = next + NETWORK_PIXELS;
    while (next < end) {
      const uint8_t pixel = uart_get();
      wrong |= (uint8_t)(pixel >= NETWORK_LEVELS);
      *next++ = network_levels[pixel < NETWORK_LEVELS ? pixel : 0];
    }
  }
  return !wrong;
}

static void refuse(const char *why)
{
  uart_text("error ");
  uart_text(why);
  uart_text("\n");
}

static void tell(uint8_t count, uint32_t cycles, int on_engine)
{
  uint8_t image;
  uint32_t busy = 0, computing = 0;
  if (on_engine)
    classifier_counters(&busy, &computing);
  uart_text("classes");
  for (image = 0; image < count; image++) {
    uart_put(' ');
    uart_number(classes[image]);
  }
  uart_text("\ncycles ");
  uart_number(cycles);
  uart_text("\nengine ");
  uart_number(busy);
  uart_put(' ');
  uart_number(computing);
  uart_text("\nok\n");
}

static void serve(uint8_t command)
{
  const uint8_t count = uart_get();
  const char *failed;
  uint32_t begun;
  if (count < 1 || count > NETWORK_BATCH) {
    refuse("count");
    return;
  }
  const int legal = take_images(count);
  begun = board_cycles();
  failed = command == 'c' ? classify_on_core(count, classes) : classify_on_engine(count, classes);
  const uint32_t cycles = board_cycles() - begun;
  const uint32_t events = board_events();
  if (events & BOARD_OVERRUN)
    refuse("overrun");
  else if (events & BOARD_FAULT)
    refuse("fault");
  else if (!legal)
    refuse("pixel");
  else if (failed)
    refuse(failed);
  else
    tell(count, cycles, command == 'e');
}

int main(void)
{
  classifier_begin();
  uart_text("ready " SYSTEM_NAME "\n");
  for (;;) {
    const uint8_t command = uart_get();
    board_light(1);
    if (command == 'c' || command == 'e')
      serve(command);
    else
      refuse("command");
    board_light(0);
  }
}
