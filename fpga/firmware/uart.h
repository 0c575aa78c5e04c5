/* Text and bytes on the UART. SPDX-License-Identifier: Apache-2.0 */
#ifndef UART_H
#define UART_H

#include <stdint.h>

#include "board.h"

/* Waits until a byte has come, and returns it. */
static inline uint8_t uart_get(void)
{
  return board_receive();
}

/* Sends a byte; waits while the one before it is under way. */
void uart_put(uint8_t byte);

/* Sends the characters of a text, its final 0 left out. */
void uart_text(const char *text);

/* Sends a number in decimal digits, without leading zeros. */
void uart_number(uint32_t number);

#endif
