/* Driver of a cimforge engine: fully connected layers as queues. See cimforge_engine.h.

   The plain half of host/engine_commands.py: the same order, of one kind of schedule.
   SPDX-License-Identifier: Apache-2.0 */
#include "cimforge_engine.h"

#define CIM_STEP_BYTES CIM_ENGINE_SIZE_BUS_BYTES_VALUE
#define CIM_CHANNEL_BYTES 16u
#define SUM_BYTES ((CIM_ENGINE_PRECISION_ACC_BITS_VALUE + 31u) / 32u * 4u) /* of a sum as it is */


#define ALL_UNITS (CIM_ENGINE_BESIDE_FETCH | CIM_ENGINE_BESIDE_RUN | CIM_ENGINE_BESIDE_STORE)

/* A layer cut into parts of `vectors`, groups of `columns` tiles and tiles of rows and columns; and
   the STORE that is due. */
typedef struct cut {
  cim_queue *queue;
  const cim_linear_layer *layer;
  uint32_t inputs, outputs, element, row_bytes, channel_pitch;
  uint32_t row_tiles, column_tiles, vectors, columns, places;
  uint32_t bank, half, due;
  cim_store_command store;
} cut;

static uint32_t least(uint32_t a, uint32_t b)
{
  return a < b ? a : b;
}

static uint32_t ceiling(uint32_t a, uint32_t b)
{
  return a / b + (a % b != 0u);
}

/* The byte of a vector, whole words of the bus, from which tile `row` is copied, and how many. */
static uint32_t slice_low(const cut *c, uint32_t row)
{
  return row * c->layer->depth * c->element / CIM_STEP_BYTES * CIM_STEP_BYTES;
}

static uint32_t slice_size(const cut *c, uint32_t row)
{
  const uint32_t end = least((row + 1u) * c->layer->depth, c->layer->inputs) * c->element;
  return ceiling(end - slice_low(c, row), CIM_STEP_BYTES) * CIM_STEP_BYTES;
}

static uint32_t tile_rows(const cut *c, uint32_t row)
{
  const uint32_t used = least(c->layer->depth, c->layer->inputs - row * c->layer->depth);
  return least(ceiling(used, c->layer->group) * c->layer->group, CIM_ENGINE_GEOMETRY_ROWS_VALUE);
}

/* Sizes; 0 where a tile does not fit half the activation buffer, or a table makes no sense. */
static int measure(cut *c, const cim_linear_layer *layer, uint32_t batch)
{
  const uint32_t sums = CIM_ENGINE_ACC_VECTORS_VECTORS_VALUE;
  uint32_t row, most = 0u, bits;
  c->layer = layer;
  c->element = CIM_ENGINE_SIZE_ELEMENT_BYTES_VALUE;
  if (!layer->inputs || !layer->outputs || !batch)
    return 0;
  if (!layer->depth || !layer->width || !layer->group)
    return 0;
  bits = CIM_ENGINE_GEOMETRY_OUTPUTS_VALUE * CIM_ENGINE_PRECISION_WEIGHT_BITS_VALUE;
  c->row_bytes = ceiling(bits, 8u * CIM_STEP_BYTES) * CIM_STEP_BYTES;
  c->channel_pitch = ceiling(layer->width * CIM_CHANNEL_BYTES, CIM_STEP_BYTES) * CIM_STEP_BYTES;
  c->row_tiles = ceiling(layer->inputs, layer->depth);
  c->column_tiles = ceiling(layer->outputs, layer->width);
  c->places = CIM_ENGINE_CHANNELS_CHANNELS_VALUE / layer->width;
  for (row = 0u; row < c->row_tiles; row++)
    most = slice_size(c, row) > most ? slice_size(c, row) : most;
  c->vectors = least(batch, least(CIM_ENGINE_ACT_BYTES_BYTES_VALUE / 2u / most, sums));
  if (c->vectors == 0u || c->places == 0u)
    return 0;
  c->columns = least(sums / c->vectors, c->column_tiles);
  c->bank = c->half = c->due = 0u;
  return 1;
}

static int load_tile(cut *c, uint32_t row, uint32_t column)
{
  const uint32_t whole = tile_rows(c, 0u), above = row * c->column_tiles * whole;
  cim_load_command load = {ALL_UNITS, 0u, 0u, 0u, 0u, 0u, 0u, 0u};
  load.rows = tile_rows(c, row);
  load.source = c->layer->weights + (above + column * load.rows) * c->row_bytes;
  load.bank = c->bank;
  load.is_signed = c->layer->weights_signed;
  load.fuse = c->layer->fuse;
#ifdef CIM_ENGINE_LOAD_FILL_WORD
  load.fill = 1u;
#endif
  return cim_queue_load(c->queue, &load);
}

static int copy_tile(cut *c, uint32_t row, uint32_t first, uint32_t vectors)
{
  cim_copy_command copy = {ALL_UNITS, 0u, 0u, 0u, 0u, 0u, 0u};
  copy.source = c->inputs + first * c->layer->input_pitch + slice_low(c, row);
  copy.target = c->half * (CIM_ENGINE_ACT_BYTES_BYTES_VALUE / 2u);
  copy.count = slice_size(c, row);
  copy.lines = vectors;
  if (vectors > 1u) {
    copy.source_pitch = c->layer->input_pitch;
    copy.target_pitch = copy.count;
  }
  return cim_queue_copy(c->queue, &copy);
}

/* A RUN. Its activations and its weights were asked for in this order, so that all but the weights
   have come when it begins, and for these it waits by itself. One that begins new sums waits for
   STOREs of the old ones. */
static int run_tile(cut *c, uint32_t row, uint32_t place, uint32_t vectors)
{
  const uint32_t first = row * c->layer->depth, half = CIM_ENGINE_ACT_BYTES_BYTES_VALUE / 2u;
  const uint32_t length = least(c->layer->depth, c->layer->inputs - first) * c->element;
  cim_run_command run = {0u};
  run.beside = row ? ALL_UNITS : CIM_ENGINE_BESIDE_FETCH | CIM_ENGINE_BESIDE_RUN;
  run.bank = c->bank;
  run.is_signed = c->layer->inputs_signed;
  run.accumulate = row > 0u;
  run.bits = c->layer->bits;
  run.vectors = vectors;
  run.sums = place * c->vectors;
  run.source = c->half * half + first * c->element - slice_low(c, row);
  run.image_pitch = vectors > 1u ? slice_size(c, row) : 0u;
  run.length = length;
#ifdef CIM_ENGINE_RUN_ROWS_WORD
  run.rows = length / c->element;
#endif
  return cim_queue_run(c->queue, &run);
}

/* The STORE that is due, whose sums the newest RUN does not touch; with `last` it waits for it. */
static int store_due(cut *c, int last)
{
  if (!c->due)
    return CIM_OK;
  c->due = 0u;
  c->store.beside = last ? CIM_ENGINE_BESIDE_STORE : ALL_UNITS;
  return cim_queue_store(c->queue, &c->store);
}

/* The channels of a column's STORE, where the table does not hold those of all from the first part
   on; and that STORE, which comes behind the next RUN. */
static int finish(cut *c, uint32_t column, uint32_t place, uint32_t first, uint32_t vectors)
{
  const cim_linear_layer *layer = c->layer;
  const uint32_t low = column * layer->width;
  const uint32_t size = layer->raw ? SUM_BYTES : 1u + layer->wide;
  const int kept = layer->outputs <= CIM_ENGINE_CHANNELS_CHANNELS_VALUE;
  cim_channels_command channels = {0u, 0u, 0u, 0u};
  cim_store_command *store = &c->store;
  channels.beside = kept ? ALL_UNITS : CIM_ENGINE_BESIDE_FETCH | CIM_ENGINE_BESIDE_RUN;
  channels.source = layer->channels + column * c->channel_pitch;
  channels.first = kept ? low : column % c->places * layer->width;
  channels.count = least(layer->width, layer->outputs - low);
  store->target = c->outputs + first * layer->output_pitch + low * size;
  store->target_pitch = layer->output_pitch;
  store->vectors = vectors;
  store->sums = place * c->vectors;
  store->first = 0u;
  store->outputs = channels.count;
  store->channel = layer->raw ? 0u : channels.first;
  store->rounding = layer->rounding;
  store->raw = layer->raw;
  store->wide = layer->wide;
  store->ones = layer->ones;
  store->zero = layer->zero;
  store->lowest = layer->lowest;
  store->highest = layer->highest;
  c->due = 1u;
  if (layer->raw || (kept && first))
    return CIM_OK;
  return cim_queue_channels(c->queue, &channels);
}

/* What a loop over tiles is at: a part, a tile of rows, a column in a group. */
typedef struct place {
  uint32_t first, group, row, column;
} place;

/* The next tile; 0 behind the last. */
static int advance(const cut *c, place *p, uint32_t batch)
{
  if (++p->column < least(c->columns, c->column_tiles - p->group))
    return 1;
  p->column = 0u;
  if (++p->row < c->row_tiles)
    return 1;
  p->row = 0u;
  p->group += c->columns;
  if (p->group < c->column_tiles)
    return 1;
  p->group = 0u;
  p->first += c->vectors;
  return p->first < batch;
}

#define TRY(call)          \
  do {                     \
    const int code = call; \
    if (code != CIM_OK)    \
      return code;         \
  } while (0)

/* The activations of the next tile of rows, into the half that the RUNs before the newest left. */
static int copy_next(cut *c, const place *now, uint32_t batch)
{
  place next = *now;
  int code;
  do
    if (!advance(c, &next, batch))
      return CIM_OK;
  while (next.column != 0u);
  c->half ^= 1u;
  code = copy_tile(c, next.row, next.first, least(c->vectors, batch - next.first));
  c->half ^= 1u;
  return code;
}

/* One tile's RUN with what goes before and behind it. A LOAD is the last that is fetched for each
   RUN, so that where that one begins all else has come. */
static int step(cut *c, const place *now, const place *next, int more, uint32_t batch)
{
  const uint32_t vectors = least(c->vectors, batch - now->first);
  if (now->row == 0u && c->due && c->store.sums == now->column * c->vectors)
    TRY(store_due(c, 1)); /* it stores what this RUN replaces */
  TRY(run_tile(c, now->row, now->column, vectors));
  TRY(store_due(c, 0));
  if (now->row == c->row_tiles - 1u)
    TRY(finish(c, now->group + now->column, now->column, now->first, vectors));
  if (!more)
    return store_due(c, 1);
  if (now->column == 0u)
    TRY(copy_next(c, now, batch));
  if (next->column == 0u)
    c->half ^= 1u;
  c->bank = (c->bank + 1u) % CIM_ENGINE_PRECISION_BANKS_VALUE;
  return load_tile(c, next->row, next->group + next->column);
}

int cim_linear(cim_queue *queue, const cim_linear_layer *layer, uint32_t inputs, uint32_t outputs,
               uint32_t batch)
{
  cut c;
  place now = {0u, 0u, 0u, 0u}, next;
  int more = 1;
  queue->refused = CIM_NO_FIELD;
  if (!measure(&c, layer, batch))
    return CIM_RANGE;
  c.queue = queue;
  c.inputs = inputs;
  c.outputs = outputs;
  TRY(copy_tile(&c, 0u, 0u, c.vectors));
  TRY(load_tile(&c, 0u, 0u));
  while (more) {
    next = now;
    more = advance(&c, &next, batch);
    TRY(step(&c, &now, &next, more, batch));
    now = next;
  }
  return CIM_OK;
}

uint32_t cim_linear_length(const cim_linear_layer *layer, uint32_t batch)
{
  cim_queue counted;
  if (cim_queue_init(&counted, 0, 0xffffffffu, 0u) != CIM_OK
      || cim_linear(&counted, layer, 0u, 0u, batch) != CIM_OK)
    return 0u;
  return counted.count;
}
