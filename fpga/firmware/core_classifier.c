/* The class of images by the core alone. SPDX-License-Identifier: Apache-2.0 */
#include "classifier.h"
#include "network.h"

static int8_t held[NETWORK_WIDTH];
static int32_t sums[NETWORK_WIDTH];

static uint8_t greatest(const int32_t *values, uint16_t count)
{
  uint16_t place, best = 0;
  for (place = 1; place < count; place++)
    if (values[place] > values[best])
      best = place;
  return (uint8_t)best;
}

static uint8_t classify(const int8_t *image)
{
  const dense_layer *layer = network_layers;
  const dense_layer *const last = network_layers + NETWORK_LAYERS - 1;
  uint16_t n;
  dense_sums(layer, image, sums);
  while (layer < last) {
    for (n = 0; n < layer->outputs; n++)
      held[n] = dense_requantise(layer, sums[n]);
    layer++;
    dense_sums(layer, held, sums);
  }
  return greatest(sums, layer->outputs);
}

const char *classify_on_core(uint8_t count, uint8_t *classes)
{
  uint8_t image;
  for (image = 0; image < count; image++)
    classes[image] = classify(classifier_inputs(image));
  return 0;
}
