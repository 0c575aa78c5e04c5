/* What a program needs of a system beside memory: UART, timer, light, events. This one is for the registers of
   this package's own systems. SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#include "system.h"

#define BOARD_OVERRUN IO_STATUS_OVERRUN /* a byte was lost */
#define BOARD_FAULT IO_STATUS_FAULT     /* an access of the core ended in an error */

/* Waits until a byte has come on the UART, and returns it. Inline: bytes come faster than calls. */
static inline uint8_t board_receive(void)
{
  uint32_t word;
  do
    word = IO_UART;
  while (word & IO_UART_EMPTY);
  return (uint8_t)word;
}

/* Sends a byte; waits while there is no room for it. */
static inline void board_send(uint8_t byte)
{
  IO_UART = byte;
}

/* Cycles since reset. */
static inline uint32_t board_cycles(void)
{
  return IO_CYCLES;
}

/* What happened since the last call. */
static inline uint32_t board_events(void)
{
  const uint32_t status = IO_STATUS & (BOARD_OVERRUN | BOARD_FAULT);
  IO_STATUS = status;
  return status;
}

static inline void board_light(int on)
{
  IO_LIGHT = on ? IO_LIGHT_ON : 0;
}

#endif
