/* Text and bytes on the UART. SPDX-License-Identifier: Apache-2.0 */
#include "uart.h"

void uart_put(uint8_t byte)
{
  board_send(byte);
}

void uart_text(const char *text)
{
  while (*text)
    uart_put((uint8_t)*text++);
}

/* By subtraction: a small core does not divide. */
void uart_number(uint32_t number)
{
  static const uint32_t tens[] = {1000000000u, 100000000u, 10000000u, 1000000u, 100000u,
                                  10000u,      1000u,      100u,      10u,      1u};
  uint32_t place, begun = 0;
  for (place = 0; place < sizeof tens / sizeof *tens; place++) {
    uint8_t digit = 0;
    while (number >= tens[place]) {
      number -= tens[place];
      digit++;
    }
    begun |= digit;
    if (begun || tens[place] == 1u)
      uart_put((uint8_t)('0' + digit));
  }
}
