/* Driver of a cimforge engine: registers and queues. See cimforge_engine.h.
   SPDX-License-Identifier: Apache-2.0 */
#include "cimforge_engine.h"

#ifndef CIM_BARRIER
#define CIM_BARRIER
#endif

#define CIM_STEP_BYTES CIM_ENGINE_SIZE_BUS_BYTES_VALUE

static uint32_t direct_read(void *context, uint32_t offset)
{
  return ((volatile uint32_t *)context)[offset / 4u];
}

static void direct_write(void *context, uint32_t offset, uint32_t value)
{
  ((volatile uint32_t *)context)[offset / 4u] = value;
}

void cim_direct(cim_port *port, volatile uint32_t *registers)
{
  port->read = direct_read;
  port->write = direct_write;
  port->write_memory = 0;
  port->context = (void *)(uintptr_t)registers;
}

static uint32_t get(cim_device *device, uint32_t offset)
{
  return device->port.read(device->port.context, offset);
}

static void set(cim_device *device, uint32_t offset, uint32_t value)
{
  device->port.write(device->port.context, offset, value);
}

int cim_init(cim_device *device, const cim_port *port, uint32_t looks)
{
  device->port = *port;
  if (get(device, CIM_ENGINE_ID) != CIM_ENGINE_ID_MAGIC_VALUE)
    return CIM_NO_ENGINE;
  if (get(device, CIM_ENGINE_VERSION) != CIM_ENGINE_VERSION_VERSION_VALUE)
    return CIM_VERSION;
  if (get(device, CIM_ENGINE_HASH) != CIM_ENGINE_HASH_DIGEST_VALUE)
    return CIM_CONFIGURATION;
  return cim_reset(device, looks);
}

int cim_reset(cim_device *device, uint32_t looks)
{
  set(device, CIM_ENGINE_CONTROL, CIM_ENGINE_PUT(CIM_ENGINE_CONTROL_RESET, 1u));
  while (looks--)
    if (!(get(device, CIM_ENGINE_STATUS) & CIM_ENGINE_STATUS_RESETTING_MASK))
      return CIM_OK;
  return CIM_TIMEOUT;
}

int cim_start(cim_device *device, const cim_queue *queue)
{
  const uint32_t held = CIM_ENGINE_STATUS_BUSY_MASK | CIM_ENGINE_STATUS_RESETTING_MASK;
  if (queue->count == 0u)
    return CIM_EMPTY;
  if (queue->count > CIM_ENGINE_QUEUE_COUNT_COUNT_MASK)
    return CIM_FULL;
  if (get(device, CIM_ENGINE_STATUS) & held)
    return CIM_BUSY;
  if (device->port.write_memory)
    device->port.write_memory(device->port.context, queue->address, queue->descriptors[0].word,
                              queue->count * CIM_ENGINE_DESCRIPTOR_WORDS);
  CIM_BARRIER;
  set(device, CIM_ENGINE_CONTROL, CIM_ENGINE_PUT(CIM_ENGINE_CONTROL_CLEAR, 1u));
  set(device, CIM_ENGINE_QUEUE_BASE, queue->address);
  set(device, CIM_ENGINE_QUEUE_COUNT, queue->count);
  set(device, CIM_ENGINE_CONTROL, CIM_ENGINE_PUT(CIM_ENGINE_CONTROL_START, 1u));
  return CIM_OK;
}

int cim_poll(cim_device *device)
{
  const uint32_t status = get(device, CIM_ENGINE_STATUS);
  if (status & (CIM_ENGINE_STATUS_BUSY_MASK | CIM_ENGINE_STATUS_RESETTING_MASK))
    return CIM_BUSY;
  if (status & CIM_ENGINE_STATUS_ERROR_MASK)
    return CIM_FAILED;
  if (!(status & CIM_ENGINE_STATUS_DONE_MASK))
    return CIM_LOST;
  return status & CIM_ENGINE_STATUS_OVERFLOW_MASK ? CIM_OVERFLOW : CIM_OK;
}

int cim_wait(cim_device *device, uint32_t looks)
{
  while (looks--) {
    const int code = cim_poll(device);
    if (code != CIM_BUSY)
      return code;
  }
  return CIM_TIMEOUT;
}

int cim_run(cim_device *device, const cim_queue *queue, uint32_t looks)
{
  const int code = cim_start(device, queue);
  return code != CIM_OK ? code : cim_wait(device, looks);
}

void cim_failure(cim_device *device, cim_failure_info *info)
{
  const uint32_t word = get(device, CIM_ENGINE_ERROR);
  info->cause = CIM_ENGINE_GET(word, CIM_ENGINE_ERROR_CAUSE);
  info->field = CIM_ENGINE_GET(word, CIM_ENGINE_ERROR_FIELD);
  info->index = get(device, CIM_ENGINE_ERROR_INDEX);
}

void cim_counters(cim_device *device, cim_counter_values *values)
{
  uint32_t high, low, again;
  values->cycles = get(device, CIM_ENGINE_CYCLES);
  values->compute = get(device, CIM_ENGINE_COMPUTE);
  values->stall_input = get(device, CIM_ENGINE_STALL_INPUT);
  values->stall_output = get(device, CIM_ENGINE_STALL_OUTPUT);
  values->stall_weights = get(device, CIM_ENGINE_STALL_WEIGHTS);
  values->vectors = get(device, CIM_ENGINE_VECTORS);
  values->planes_skipped = get(device, CIM_ENGINE_PLANES_SKIPPED);
  values->read_words = get(device, CIM_ENGINE_READ_WORDS);
  values->written_words = get(device, CIM_ENGINE_WRITTEN_WORDS);
  high = get(device, CIM_ENGINE_MACS_HIGH);
  low = get(device, CIM_ENGINE_MACS_LOW);
  again = get(device, CIM_ENGINE_MACS_HIGH);
  if (again != high) /* the low half has begun anew between the two */
    low = get(device, CIM_ENGINE_MACS_LOW);
  values->macs = (uint64_t)again << 32 | low;
}

/* Queues */

int cim_queue_init(cim_queue *queue, struct cim_engine_descriptor *descriptors, uint32_t capacity,
                   uint32_t address)
{
  queue->descriptors = descriptors;
  queue->capacity = capacity;
  queue->address = address;
  queue->count = 0u;
  queue->refused = CIM_NO_FIELD;
  return address % CIM_ENGINE_DESCRIPTOR_BYTES ? CIM_RANGE : CIM_OK;
}

static int refuse(cim_queue *queue, uint32_t field)
{
  queue->refused = field;
  return CIM_RANGE;
}

/* Set a field of the descriptor `d`, or refuse the command. */
#define SET(function, field, value)                                     \
  if (cim_engine_##function(&d, value))                                 \
    return refuse(queue, CIM_ENGINE_NUMBER(CIM_ENGINE_##field))
#define REQUIRE(rule, field)                                            \
  if (!(rule))                                                          \
    return refuse(queue, CIM_ENGINE_NUMBER(CIM_ENGINE_##field))
#define ABSENT(value)                                                   \
  if (value)                                                            \
    return refuse(queue, CIM_NO_FIELD)

static int append(cim_queue *queue, const struct cim_engine_descriptor *d)
{
  if (queue->count >= queue->capacity)
    return CIM_FULL;
  if (queue->descriptors)
    queue->descriptors[queue->count] = *d;
  queue->count++;
  return CIM_OK;
}

int cim_queue_load(cim_queue *queue, const cim_load_command *load)
{
  struct cim_engine_descriptor d;
  cim_engine_begin_load(&d);
  SET(set_beside, ANY_BESIDE, load->beside);
  SET(load_source, LOAD_SOURCE, load->source);
  SET(load_first, LOAD_FIRST, load->first);
  SET(load_rows, LOAD_ROWS, load->rows);
  SET(load_bank, LOAD_BANK, load->bank);
  SET(load_signed, LOAD_SIGNED, load->is_signed);
#ifdef CIM_ENGINE_LOAD_FUSE_WORD
  SET(load_fuse, LOAD_FUSE, load->fuse);
#else
  ABSENT(load->fuse);
#endif
#ifdef CIM_ENGINE_LOAD_FILL_WORD
  SET(load_fill, LOAD_FILL, load->fill);
#else
  ABSENT(load->fill);
#endif
  REQUIRE(load->first + load->rows <= CIM_ENGINE_GEOMETRY_ROWS_VALUE, LOAD_ROWS);
  return append(queue, &d);
}

int cim_queue_copy(cim_queue *queue, const cim_copy_command *copy)
{
  struct cim_engine_descriptor d;
  cim_engine_begin_copy(&d);
  SET(set_beside, ANY_BESIDE, copy->beside);
  SET(copy_source, COPY_SOURCE, copy->source);
  SET(copy_source_pitch, COPY_SOURCE_PITCH, copy->source_pitch);
  SET(copy_target, COPY_TARGET, copy->target);
  SET(copy_target_pitch, COPY_TARGET_PITCH, copy->target_pitch);
  SET(copy_count, COPY_COUNT, copy->count);
  SET(copy_lines, COPY_LINES, copy->lines);
  REQUIRE(copy->target % CIM_STEP_BYTES == 0u, COPY_TARGET);
  return append(queue, &d);
}

int cim_queue_channels(cim_queue *queue, const cim_channels_command *channels)
{
  struct cim_engine_descriptor d;
  cim_engine_begin_copy(&d);
  SET(set_beside, ANY_BESIDE, channels->beside);
  SET(copy_source, COPY_SOURCE, channels->source);
  SET(copy_target, COPY_TARGET, channels->first);
  SET(copy_count, COPY_COUNT, channels->count);
  SET(copy_channels, COPY_CHANNELS, 1u);
  REQUIRE(channels->first <= CIM_ENGINE_CHANNELS_CHANNELS_VALUE, COPY_TARGET);
  REQUIRE(channels->count <= CIM_ENGINE_CHANNELS_CHANNELS_VALUE - channels->first, COPY_COUNT);
  return append(queue, &d);
}

/* Where vectors of a linear layer, or the patches of images, are in the activation buffer. */
static int gather(cim_queue *queue, struct cim_engine_descriptor *descriptor,
                  const cim_run_command *run)
{
  struct cim_engine_descriptor d = *descriptor;
  const int linear = run->lines == 0u;
  SET(run_line_bytes, RUN_LINE_BYTES, linear ? run->length : run->line_bytes);
  SET(run_segment, RUN_SEGMENT, linear ? run->length : run->segment);
  if (!linear) {
    SET(run_lines, RUN_LINES, run->lines);
    SET(run_segments_x, RUN_SEGMENTS_X, run->segments_x);
    SET(run_segments_y, RUN_SEGMENTS_Y, run->segments_y);
    SET(run_step_x, RUN_STEP_X, run->step_x);
    SET(run_step_y, RUN_STEP_Y, run->step_y);
    SET(run_stride_x, RUN_STRIDE_X, run->stride_x);
    SET(run_stride_y, RUN_STRIDE_Y, run->stride_y);
    SET(run_count_x, RUN_COUNT_X, run->count_x);
    SET(run_count_y, RUN_COUNT_Y, run->count_y);
    SET(run_pad, RUN_PAD, run->pad);
    SET(run_origin_x, RUN_ORIGIN_X, run->origin_x);
    SET(run_origin_y, RUN_ORIGIN_Y, run->origin_y);
    SET(run_skip_x, RUN_SKIP_X, run->skip_x);
    SET(run_skip_y, RUN_SKIP_Y, run->skip_y);
    SET(run_skip, RUN_SKIP, run->skip);
    REQUIRE(run->skip < run->segment, RUN_SKIP);
    REQUIRE(run->skip_x < run->segments_x, RUN_SKIP_X);
    REQUIRE(run->skip_y < run->segments_y, RUN_SKIP_Y);
  }
  *descriptor = d;
  return CIM_OK;
}

int cim_queue_run(cim_queue *queue, const cim_run_command *run)
{
  struct cim_engine_descriptor d;
  int code;
  cim_engine_begin_run(&d);
  SET(set_beside, ANY_BESIDE, run->beside);
  SET(run_bank, RUN_BANK, run->bank);
  SET(run_signed, RUN_SIGNED, run->is_signed);
  SET(run_accumulate, RUN_ACCUMULATE, run->accumulate);
  SET(run_bits, RUN_BITS, run->bits);
  SET(run_vectors, RUN_VECTORS, run->vectors);
  SET(run_sums, RUN_SUMS, run->sums);
  SET(run_source, RUN_SOURCE, run->source);
  SET(run_image_pitch, RUN_IMAGE_PITCH, run->image_pitch);
  SET(run_length, RUN_LENGTH, run->length);
#ifdef CIM_ENGINE_RUN_ROWS_WORD
  SET(run_rows, RUN_ROWS, run->rows);
#else
  ABSENT(run->rows);
#endif
  REQUIRE(run->sums + run->vectors <= CIM_ENGINE_ACC_VECTORS_VECTORS_VALUE, RUN_VECTORS);
  code = gather(queue, &d, run);
  return code != CIM_OK ? code : append(queue, &d);
}

int cim_queue_store(cim_queue *queue, const cim_store_command *store)
{
  struct cim_engine_descriptor d;
  cim_engine_begin_store(&d);
  SET(set_beside, ANY_BESIDE, store->beside);
  SET(store_target, STORE_TARGET, store->target);
  SET(store_target_pitch, STORE_TARGET_PITCH, store->target_pitch);
  SET(store_vectors, STORE_VECTORS, store->vectors);
  SET(store_sums, STORE_SUMS, store->sums);
  SET(store_first, STORE_FIRST, store->first);
  SET(store_outputs, STORE_OUTPUTS, store->first + store->outputs); /* the same most */
  SET(store_outputs, STORE_OUTPUTS, store->outputs);
  SET(store_channel, STORE_CHANNEL, store->channel);
  SET(store_rounding, STORE_ROUNDING, store->rounding);
  SET(store_raw, STORE_RAW, store->raw);
  SET(store_wide, STORE_WIDE, store->wide);
  SET(store_zero, STORE_ZERO, store->zero);
  SET(store_lowest, STORE_LOWEST, store->lowest);
  SET(store_highest, STORE_HIGHEST, store->highest);
#ifdef CIM_ENGINE_STORE_ONES_WORD
  SET(store_ones, STORE_ONES, store->ones);
#else
  ABSENT(store->ones);
#endif
  REQUIRE(store->sums + store->vectors <= CIM_ENGINE_ACC_VECTORS_VECTORS_VALUE, STORE_VECTORS);
  REQUIRE(store->raw || store->channel + store->outputs <= CIM_ENGINE_CHANNELS_CHANNELS_VALUE,
          STORE_CHANNEL);
  REQUIRE(store->lowest <= store->highest, STORE_HIGHEST);
  return append(queue, &d);
}

int cim_queue_interrupt(cim_queue *queue)
{
  if (queue->count == 0u || !queue->descriptors)
    return CIM_EMPTY;
  return cim_engine_set_interrupt(&queue->descriptors[queue->count - 1u], 1u);
}
