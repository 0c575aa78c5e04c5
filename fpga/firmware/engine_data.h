/* The network of a program as a queue of an engine's descriptors, generated. NETWORK_BATCH vectors are taken
   from byte NETWORK_INPUTS on, NETWORK_INPUT_PITCH apart; the last layer's sums come to NETWORK_SUMS, of
   NETWORK_SUM_WORDS words each, vectors NETWORK_SUM_PITCH bytes apart.
   SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_DATA_H
#define ENGINE_DATA_H

#include <stdint.h>

#include "engine_sizes.h"

/* Words that RAM must hold from byte ``address`` on. */
typedef struct {
  uint32_t address, count;
  const uint32_t *words;
} engine_segment;

extern const engine_segment engine_segments[];

/* Added to the last layer's sums. */
extern const int32_t engine_bias[];

#endif
