/* Fully connected layers in int8, on the core alone. SPDX-License-Identifier: Apache-2.0 */
#include "dense.h"

void dense_sums(const dense_layer *layer, const int8_t *x, int32_t *sums)
{
  const int8_t *w = layer->weights;
  uint16_t n, k;
  for (n = 0; n < layer->outputs; n++) {
    int32_t sum = layer->bias[n];
    for (k = 0; k < layer->inputs; k++)
      sum += x[k] * *w++;
    sums[n] = sum;
  }
}

int8_t dense_requantise(const dense_layer *layer, int32_t sum)
{
  const int32_t left = layer->shift < 0 ? -layer->shift : 0;
  const int32_t right = layer->shift > 0 ? layer->shift : 0;
  const int64_t product = (int64_t)(int32_t)((uint32_t)sum << left) * layer->multiplier;
  const int32_t high = (int32_t)((product + (1 << 30)) >> 31);
  const int32_t rest = high & (int32_t)((1u << right) - 1u);
  int32_t y = (high >> right) + (rest > (int32_t)(((1u << right) - 1u) >> 1) + (high < 0));
  y = y < layer->lowest ? layer->lowest : y;
  return (int8_t)(y > layer->highest ? layer->highest : y);
}
