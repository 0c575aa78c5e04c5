/* A program that checks what its core sees, and tells on the UART.
   SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "system.h"
#include "uart.h"

#define AT8(address) (*(volatile uint8_t *)(address))
#define AT16(address) (*(volatile uint16_t *)(address))
#define AT32(address) (*(volatile uint32_t *)(address))

static uint32_t initial[2] = {0x12345678u, 0x9abcdef0u}; /* from ROM to RAM before main */
static uint32_t zeroed[3];
static uint8_t failures;

static void check(const char *what, int holds)
{
  if (holds)
    return;
  failures++;
  uart_text("fails: ");
  uart_text(what);
  uart_text("\n");
}

/* Whether an access that was just made set status.fault at this address; clears it. */
static int faulted(uint32_t address)
{
  const int told = (IO_STATUS & IO_STATUS_FAULT) && IO_FAULT_ADDRESS == address;
  IO_STATUS = IO_STATUS_FAULT;
  return told && !(IO_STATUS & IO_STATUS_FAULT);
}

static void check_memory(void)
{
  const uint32_t last = RAM_BASE + RAM_BYTES - 1024u; /* below the stack */
  check("initial data", initial[0] == 0x12345678u && initial[1] == 0x9abcdef0u);
  check("zeros", !(zeroed[0] | zeroed[1] | zeroed[2]));
  AT32(last) = 0x11223344u;
  AT8(last + 1u) = 0xaau;
  check("a byte written", AT32(last) == 0x1122aa44u);
  AT16(last + 2u) = 0xbbccu;
  check("a half written", AT32(last) == 0xbbccaa44u);
  check("a byte read", AT8(last + 3u) == 0xbbu && AT16(last) == 0xaa44u);
  check("no fault", !(IO_STATUS & IO_STATUS_FAULT));
}

static void check_faults(void)
{
  const uint32_t word = AT32(0);
  AT32(0) = ~word;
  check("a write of ROM", faulted(0) && AT32(0) == word);
  check("behind ROM", AT32(ROM_BYTES) == 0 && faulted(ROM_BYTES));
  check("behind RAM", AT32(RAM_BASE + RAM_BYTES) == 0 && faulted(RAM_BASE + RAM_BYTES));
  AT32(0xfffffff0u) = 1;
  check("the end of addresses", faulted(0xfffffff0u));
  AT8(IO_BASE + 16u) = 1;
  check("a byte of a register", faulted(IO_BASE + 16u) && IO_LIGHT == 0);
  check("no register", AT32(IO_BASE + 24u) == 0 && faulted(IO_BASE + 24u));
}

static void check_timer(void)
{
  const uint32_t begun = IO_CYCLES;
  uint32_t place;
  for (place = 0; place < 10; place++)
    zeroed[0] += place * begun;
  check("products", zeroed[0] == 45u * begun);
  check("the timer", IO_CYCLES - begun > 50u && IO_CYCLES - begun < 4000u);
}

int main(void)
{
  check_memory();
  check_faults();
  check_timer();
  uart_text("failures ");
  uart_number(failures);
  uart_put('\n');
  for (;;) {
    const uint8_t byte = uart_get();
    if (byte == 'x')
      return 0; /* and the core traps */
    IO_LIGHT = byte & 1u;
    uart_put((uint8_t)(byte + 1u));
  }
}
