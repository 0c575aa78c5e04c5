/* Products for a core that does not multiply, under the names that compilers call them by.
   SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#ifndef __riscv_mul

uint32_t __mulsi3(uint32_t a, uint32_t b)
{
  uint32_t sum = 0;
  while (a) {
    if (a & 1u)
      sum += b;
    a >>= 1;
    b <<= 1;
  }
  return sum;
}

uint64_t __muldi3(uint64_t a, uint64_t b)
{
  uint64_t sum = 0;
  while (a) {
    if (a & 1u)
      sum += b;
    a >>= 1;
    b <<= 1;
  }
  return sum;
}

#endif
