/* The class of images, in two ways. SPDX-License-Identifier: Apache-2.0 */
#ifndef CLASSIFIER_H
#define CLASSIFIER_H

#include <stdint.h>

/* What must be done once. */
void classifier_begin(void);

/* Where image ``image``, below NETWORK_BATCH, is to lie: NETWORK_PIXELS inputs. */
int8_t *classifier_inputs(uint8_t image);

/* The classes of the first ``count`` images there: of the last layer's sums the greatest, the first of
   equals. Both return 0, or what failed. */
const char *classify_on_core(uint8_t count, uint8_t *classes);
const char *classify_on_engine(uint8_t count, uint8_t *classes);

/* Of the engine's last queue: the cycles it took, and those in which the array computed; both 0 without an
   engine. */
void classifier_counters(uint32_t *busy, uint32_t *computing);

#endif
