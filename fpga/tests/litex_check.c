/* A program that checks what its core sees of a LiteX system with an engine, and tells on the UART, as
   soc_check.c does. SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "board.h"
#include "cimforge_engine.h"
#include "soc.h"
#include "uart.h"

#define AT8(address) (*(volatile uint8_t *)(address))
#define AT16(address) (*(volatile uint16_t *)(address))
#define AT32(address) (*(volatile uint32_t *)(address))
#define LOOKS 10000u

static uint32_t initial[2] = {0x12345678u, 0x9abcdef0u}; /* from ROM to RAM before main */
static struct cim_engine_descriptor end __attribute__((aligned(64))); /* zeros: the queue's end */
static cim_device engine;
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

/* PicoRV32's waitirq: waits until an interrupt is pending, enabled or not; returns those that are. */
static uint32_t wait_interrupt(void)
{
  uint32_t pending;
  __asm__ volatile(".insn r 0x0b, 0, 4, %0, zero, zero" : "=r"(pending));
  return pending;
}

static void check_memory(void)
{
  const uint32_t last = RAM_BASE + RAM_BYTES - 1024u; /* below the stack */
  check("initial data", initial[0] == 0x12345678u && initial[1] == 0x9abcdef0u);
  AT32(last) = 0x11223344u;
  AT8(last + 1u) = 0xaau;
  AT16(last + 2u) = 0xbbccu;
  check("parts of a word", AT32(last) == 0xbbccaa44u && AT8(last + 3u) == 0xbbu);
}

static void check_faults(void)
{
  check("no fault", board_events() == 0);
  check("behind RAM", AT32(RAM_BASE + RAM_BYTES) == 0xffffffffu && board_events() == BOARD_FAULT);
  check("a fault is told once", board_events() == 0);
}

static void check_engine(void)
{
  cim_port port;
  cim_queue queue;
  cim_direct(&port, (volatile uint32_t *)ENGINE_BASE);
  check("the engine", cim_init(&engine, &port, LOOKS) == CIM_OK);
  cim_queue_init(&queue, &end, 1, (uint32_t)&end);
  queue.count = 1;
  AT32(ENGINE_BASE + CIM_ENGINE_IRQ_ENABLE) = CIM_ENGINE_IRQ_ENABLE_DONE_MASK;
  BOARD_CSR(ENGINE_EV_ENABLE) = 1;
  check("no event", BOARD_CSR(ENGINE_EV_PENDING) == 0);
  check("a queue", cim_start(&engine, &queue) == CIM_OK);
  check("the interrupt", wait_interrupt() == 1u << ENGINE_INTERRUPT);
  check("the event", BOARD_CSR(ENGINE_EV_PENDING) == 1);
  check("its end", cim_wait(&engine, LOOKS) == CIM_OK);
  AT32(ENGINE_BASE + CIM_ENGINE_IRQ_STATUS) = CIM_ENGINE_IRQ_STATUS_DONE_MASK;
  check("the line falls", BOARD_CSR(ENGINE_EV_STATUS) == 0);
}

int main(void)
{
  const uint32_t begun = board_cycles();
  check_memory();
  check_faults();
  check_engine();
  check("the timer", board_cycles() - begun > 1000u && board_cycles() - begun < 100000u);
  uart_text("failures ");
  uart_number(failures);
  uart_put('\n');
  for (;;) {
    const uint8_t byte = uart_get();
    if (byte == 'x')
      return 0; /* and the core traps */
    board_light(byte & 1u);
    uart_put((uint8_t)(byte + 1u));
  }
}
