/* The network of a program, generated: layers of the core, and levels of the pixels.
   SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_H
#define NETWORK_H

#include <stdint.h>

#include "dense.h"
#include "network_sizes.h"

/* NETWORK_LAYERS layers of at most NETWORK_WIDTH inputs or outputs; the first has NETWORK_PIXELS inputs, the
   last NETWORK_CLASSES outputs. */
extern const dense_layer network_layers[];

/* The input that each of the NETWORK_LEVELS values of a pixel becomes. */
extern const int8_t network_levels[];

#endif
