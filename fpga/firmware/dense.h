/* Fully connected layers in int8, on the core alone. SPDX-License-Identifier: Apache-2.0 */
#ifndef DENSE_H
#define DENSE_H

#include <stdint.h>

/* y = clamp(round(sum * multiplier / 2^31 / 2^shift)), sum = bias + sum over k of x[k] w[n][k]; of the
   last layer of a network the sums themselves are the result. */
typedef struct {
  uint16_t inputs, outputs;
  const int8_t *weights; /* those of an output side by side */
  const int32_t *bias;
  int32_t multiplier;
  int32_t shift; /* -31..31, positive to the right */
  int32_t lowest, highest;
} dense_layer;

/* The sums of a layer. */
void dense_sums(const dense_layer *layer, const int8_t *x, int32_t *sums);

/* A sum in the rounding of TensorFlow Lite: its high half to nearest, ties up, then the shift, ties
   away from zero; clamped. */
int8_t dense_requantise(const dense_layer *layer, int32_t sum);

#endif
