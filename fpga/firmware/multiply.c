/* Products for a core that does not multiply, under the names that compilers call them by. Each turn takes a
   bit of the smaller factor, so that small numbers are quick; a mask in place of a branch or a long shift.
   SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#ifndef __riscv_mul

uint32_t __mulsi3(uint32_t a, uint32_t b)
{
  uint32_t few = a < b ? a : b, other = a < b ? b : a, sum = 0;
  for (; few; few >>= 1, other <<= 1)
    sum += other & (0u - (few & 1u));
  return sum;
}

uint64_t __muldi3(uint64_t a, uint64_t b)
{
  uint64_t few = a < b ? a : b, other = a < b ? b : a, sum = 0;
  for (; few; few >>= 1, other <<= 1)
    sum += other & ((uint64_t)0 - (few & 1u));
  return sum;
}

#endif
