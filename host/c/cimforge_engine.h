/* Driver of a cimforge engine: C99, no heap, no operating system, no library.

   Constants of the engine come from its generated header, with the prefix cim_engine:

     engine_files(config, prefix="cim_engine")    (cimforge.hdl.emit.register_views)

   compiled in as CIM_ENGINE_HEADER, a quoted file name. One program drives engines of one
   configuration; cim_init refuses others.

     cim_device engine;
     cim_port port;
     cim_queue queue;
     static struct cim_engine_descriptor descriptors[64];   where the engine reads them

     cim_direct(&port, (volatile uint32_t *)0xf0000000);
     if (cim_init(&engine, &port, 1000) != CIM_OK) ...
     cim_queue_init(&queue, descriptors, 64, address_of_descriptors);
     cim_linear(&queue, &layer, inputs, outputs, batch);
     if (cim_run(&engine, &queue, 1000000) != CIM_OK) ...

   Every function returns CIM_OK or a negative code and ends: waits are bounded by a number of looks
   at the status. Nothing here is reentrant for one device or queue. Caches: what the engine reads
   must have left the processor's cache before cim_start, and what it has written must not be in it
   behind the end; that is the caller's (CIM_BARRIER, a statement, stands in front of each start).

   SPDX-License-Identifier: Apache-2.0 */
#ifndef CIMFORGE_ENGINE_H
#define CIMFORGE_ENGINE_H

#ifndef CIM_ENGINE_HEADER
#define CIM_ENGINE_HEADER "cim_engine.h"
#endif
#include CIM_ENGINE_HEADER

#ifdef __cplusplus
extern "C" {
#endif

/* What functions return. */
enum cim_code {
  CIM_OK = 0,
  CIM_NO_ENGINE = -1,     /* the register id is not an engine's */
  CIM_VERSION = -2,       /* an engine of another interface version */
  CIM_CONFIGURATION = -3, /* an engine of another configuration */
  CIM_FULL = -4,          /* the queue has no place for another descriptor */
  CIM_RANGE = -5,         /* a value is illegal: cim_queue.refused tells which */
  CIM_EMPTY = -6,         /* the queue has no descriptor */
  CIM_BUSY = -7,          /* a queue is under way */
  CIM_TIMEOUT = -8,       /* the bound was reached; the engine goes on: cim_reset stops it */
  CIM_FAILED = -9,        /* the engine stopped at an error: cim_failure tells */
  CIM_OVERFLOW = -10,     /* the queue ended, but a sum left its bits: results are wrong */
  CIM_LOST = -11          /* the engine stopped without an end: it was reset */
};

#define CIM_NO_FIELD 0xffffu /* no field of this engine; of a descriptor in memory: reserved bits */

/* How registers, and memory if not by pointers, are reached. write_memory may be null where
   descriptors are built in memory that the engine reads; else it copies words there. */
typedef struct cim_port {
  uint32_t (*read)(void *context, uint32_t offset);
  void (*write)(void *context, uint32_t offset, uint32_t value);
  void (*write_memory)(void *context, uint32_t address, const uint32_t *words, uint32_t count);
  void *context;
} cim_port;

typedef struct cim_device {
  cim_port port;
} cim_device;

/* Why the engine stopped: cause as in CIM_ENGINE_ERROR_CAUSE_..., the number of the descriptor in
   its queue, and of a malformed one the field: CIM_ENGINE_NUMBER(field), CIM_NO_FIELD for reserved
   bits. */
typedef struct cim_failure_info {
  uint32_t cause;
  uint32_t index;
  uint32_t field;
} cim_failure_info;

/* What the last queue took, modulo 2^32; see the registers of these names. */
typedef struct cim_counter_values {
  uint32_t cycles, compute, stall_input, stall_output, stall_weights;
  uint32_t vectors, planes_skipped, read_words, written_words;
  uint64_t macs;
} cim_counter_values;

/* A port of plain memory-mapped registers. */
void cim_direct(cim_port *port, volatile uint32_t *registers);

/* Check id, version and hash, in this order, then reset the engine. */
int cim_init(cim_device *device, const cim_port *port, uint32_t looks);

/* Stop what is under way; weights, kept sums and activations stay. CIM_TIMEOUT where memory does
   not answer what the engine has asked for. */
int cim_reset(cim_device *device, uint32_t looks);

/* Descriptors under construction: `capacity` of them at `descriptors`, which the engine reads from
   byte `address` on, a multiple of 64. */
typedef struct cim_queue {
  struct cim_engine_descriptor *descriptors;
  uint32_t capacity;
  uint32_t address;
  uint32_t count;
  uint32_t refused; /* the field that CIM_RANGE was about: CIM_ENGINE_NUMBER, or CIM_NO_FIELD */
} cim_queue;

/* CIM_RANGE for an address that is no such multiple. Without `descriptors` commands are counted. */
int cim_queue_init(cim_queue *queue, struct cim_engine_descriptor *descriptors, uint32_t capacity,
                   uint32_t address);

/* Commands, in the words of the descriptors' table. Each function below appends one, or returns
   CIM_FULL or CIM_RANGE and appends none. Zero what a command has no use for; of a linear layer's
   cim_run_command zero all but bank .. length. `beside` is a sum of CIM_ENGINE_BESIDE_...: units
   whose newest command may still be under way when this one begins; 0 is always safe. Fields that
   this engine does not have (fuse, fill, rows of a run, ones) must be 0. */
typedef struct cim_load_command {
  uint32_t beside, source, first, rows, bank, is_signed, fuse, fill;
} cim_load_command;

typedef struct cim_copy_command {
  uint32_t beside, source, source_pitch, target, target_pitch, count, lines;
} cim_copy_command;

typedef struct cim_channels_command {
  uint32_t beside, source, first, count;
} cim_channels_command;

typedef struct cim_run_command {
  uint32_t beside, bank, is_signed, accumulate, bits, vectors, sums;
  uint32_t source, image_pitch, rows, length;
  /* of convolutions; lines 0: a linear layer, whose vectors lie image_pitch apart */
  uint32_t line_bytes, lines, segment, segments_x, segments_y, step_x, step_y, stride_x, stride_y;
  uint32_t count_x, count_y, pad, skip_x, skip_y, skip;
  int32_t origin_x, origin_y;
} cim_run_command;

typedef struct cim_store_command {
  uint32_t beside, target, target_pitch, vectors, sums, first, outputs;
  uint32_t channel, rounding, raw, wide, ones;
  int32_t zero, lowest, highest;
} cim_store_command;

int cim_queue_load(cim_queue *queue, const cim_load_command *load);
int cim_queue_copy(cim_queue *queue, const cim_copy_command *copy);
int cim_queue_channels(cim_queue *queue, const cim_channels_command *channels);
int cim_queue_run(cim_queue *queue, const cim_run_command *run);
int cim_queue_store(cim_queue *queue, const cim_store_command *store);

/* Raise the interrupt when the last command of the queue has ended. */
int cim_queue_interrupt(cim_queue *queue);

/* Start a queue of 1..65535 descriptors; CIM_BUSY, and nothing changed, while one is under way. */
int cim_start(cim_device *device, const cim_queue *queue);

/* One look: CIM_BUSY, or how the queue ended. */
int cim_poll(cim_device *device);

/* Look at most so many times until the queue has ended. */
int cim_wait(cim_device *device, uint32_t looks);

/* cim_start and cim_wait. */
int cim_run(cim_device *device, const cim_queue *queue, uint32_t looks);

void cim_failure(cim_device *device, cim_failure_info *info);
void cim_counters(cim_device *device, cim_counter_values *values);

/* A fully connected layer in memory as the planner packs it (layer_table of host/engine_table.py
   gives this table): tiles of `depth` inputs by `width` outputs, row tiles outermost, the rows of
   weights of each, rounded up to `group`, one behind the other; from `channels` on the channels of
   each tile of columns, 16 bytes each, tiles from a multiple of the bus's words on. */
typedef struct cim_linear_layer {
  uint32_t inputs, outputs;        /* K, N */
  uint32_t depth, width, group;    /* inputs and outputs of a tile; rows of a group of weights */
  uint32_t weights, channels;      /* byte addresses */
  uint32_t input_pitch;            /* bytes from vector to vector, whole words of the bus */
  uint32_t output_pitch;           /* bytes from vector to vector of results */
  uint32_t weights_signed, fuse;   /* of weights; mode of the banks */
  uint32_t inputs_signed, bits;    /* of inputs; precision, 0: all */
  uint32_t raw, rounding, wide, ones;
  int32_t zero, lowest, highest;
} cim_linear_layer;

/* Append the commands of `batch` vectors from byte address `inputs` on, results from `outputs` on.
   Weights load into one bank while another computes, activations into one half of their buffer
   while the other is read. CIM_RANGE where a tile does not fit half the activation buffer. */
int cim_linear(cim_queue *queue, const cim_linear_layer *layer, uint32_t inputs, uint32_t outputs,
               uint32_t batch);

/* How many descriptors cim_linear appends, 0 where it would refuse the layer. */
uint32_t cim_linear_length(const cim_linear_layer *layer, uint32_t batch);

#ifdef __cplusplus
}
#endif
#endif
