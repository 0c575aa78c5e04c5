/* What a program needs of a system beside memory: UART, timer, light, events. This one is for LiteX's registers,
   in the place of the firmware's own. SPDX-License-Identifier: Apache-2.0 */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

#include "system.h"

#include "csr.h" /* which takes CSR_BASE from there */

#define BOARD_CSR(name) (*(volatile uint32_t *)CSR_##name##_ADDR)
#define BOARD_RECEIVED (1u << CSR_UART_EV_PENDING_RX_OFFSET)

#define BOARD_OVERRUN 1u /* never: LiteX's UART does not tell of bytes that its FIFO has no room for */
#define BOARD_FAULT 2u   /* an access ended in a time-out of the bus */

/* Waits until a byte has come on the UART, and returns it. Inline: bytes come faster than calls. */
static inline uint8_t board_receive(void)
{
  uint8_t byte;
  while (BOARD_CSR(UART_RXEMPTY))
    ;
  byte = (uint8_t)BOARD_CSR(UART_RXTX);
  BOARD_CSR(UART_EV_PENDING) = BOARD_RECEIVED; /* which takes it from the FIFO */
  return byte;
}

/* Sends a byte; waits while there is no room for it. */
static inline void board_send(uint8_t byte)
{
  while (BOARD_CSR(UART_TXFULL))
    ;
  BOARD_CSR(UART_RXTX) = byte;
}

/* Cycles since reset, modulo 2^32: the second word of the timer's uptime. */
static inline uint32_t board_cycles(void)
{
  BOARD_CSR(TIMER0_UPTIME_LATCH) = 1;
  return (&BOARD_CSR(TIMER0_UPTIME_CYCLES))[1];
}

/* What happened since the last call. */
static inline uint32_t board_events(void)
{
  static uint32_t seen;
  const uint32_t errors = BOARD_CSR(CTRL_BUS_ERRORS);
  const uint32_t events = errors == seen ? 0 : BOARD_FAULT;
  seen = errors;
  return events;
}

static inline void board_light(int on)
{
  BOARD_CSR(LIGHT_OUT) = on ? 1u : 0u;
}

#endif
