/* The class of images, in two ways. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLASSIFIER_H
#define CLASSIFIER_H

#include <stdint.h>

/* The classes of ``count`` images of NETWORK_INPUTS inputs each: of the last layer's sums the greatest, the
   first of equals. Both return 0, or what failed. */
const char *classify_on_core(const int8_t *inputs, uint8_t count, uint8_t *classes);
const char *classify_on_engine(const int8_t *inputs, uint8_t count, uint8_t *classes);

/* The number of the greatest, the first of equals. */
uint8_t greatest(const int32_t *sums, uint16_t count);

#endif
